import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { openPlacementNode, type PlacementNode } from '@robustmq/placement-node';
import type { NodeId, RaftStatus } from '@robustmq/raft';
import { openRaftHost, type RaftHost } from '@robustmq/raft-driver';
import {
  type Credentials,
  GrpcPeerTransport,
  readCredentials,
  type RpcServer,
} from '@robustmq/rpc';
import { type AdminServer, type Logger, log, logEvents } from '@robustmq/telemetry';
import type { MemberCondition } from './admin/health.ts';
import { openAdmin } from './admin/open-admin.ts';
import type { ClusterIdentity } from './cluster/cluster-file.ts';
import { raftDirectoryOf, stateDirectoryOf } from './cluster/directories.ts';
import { establishIdentity, refusalSentence, removedSentence } from './cluster/identity.ts';
import { latePlacement } from './cluster/late-placement.ts';
import { leaderControllers } from './cluster/leader-controllers.ts';
import { logShardPlaced } from './cluster/log-shard-placed.ts';
import { clusterToJoin, PeerCheck, type PeerCheckOptions } from './cluster/peer-check.ts';
import { RemovalCheck } from './cluster/removal-check.ts';
import { askPeer, askRemoved } from './grpc/ask-peer.ts';
import { openServer, STORE_SERVICES } from './grpc/open-server.ts';
import { peerTransportOptions } from './grpc/peer-transport.ts';
import { PlacementCenterError } from './placement-center-error.ts';
import { EtcdFront } from './etcd-front.ts';
import { listenersOf, type PlacementCenter, type PlacementListener } from './placement-center.ts';
import type { PlacementCenterSettings } from './settings.ts';

/** Builds a process of the placement center from its settings. */
export function assemblePlacementCenter(
  settings: PlacementCenterSettings,
  logger: Logger,
): PlacementCenter {
  const { backend } = settings;
  return backend.kind === 'etcd'
    ? new EtcdFront(settings, backend.endpoints, logger)
    : new MemberProcess(settings, logger);
}

const HAND_OVER_MS = 1500;
const DRAIN_MS = 1000;

class MemberProcess implements PlacementCenter {
  readonly failed: Promise<Error>;
  readonly #settings: PlacementCenterSettings;
  readonly #logger: Logger;
  readonly #startedMs = systemClock.monotonicMs();
  readonly #stopping = new AbortController();
  readonly #fail: (error: Error) => void;
  #phase: MemberCondition['phase'] = 'new';
  #credentials: Credentials = { server: null, channel: null, token: null };
  #admin: AdminServer | null = null;
  #server: RpcServer | null = null;
  #transport: GrpcPeerTransport | null = null;
  #host: RaftHost | null = null;
  #node: PlacementNode | null = null;
  #identity: ClusterIdentity | null = null;
  #peerCheck: PeerCheck | null = null;
  #removalCheck: RemovalCheck | null = null;
  #peers: ReadonlyMap<number, string> = new Map();
  #leader: number | null = null;

  constructor(settings: PlacementCenterSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#fail = resolve;
  }

  get listeners(): readonly PlacementListener[] {
    return listenersOf(this.#settings, this.#server);
  }

  get httpAddress(): string | null {
    const address = this.#admin?.address() ?? null;
    return address === null ? null : `${address.host}:${String(address.port)}`;
  }

  async start(): Promise<void> {
    try {
      this.#credentials = await readCredentials(this.#settings);
      await this.#startServers();
      await this.#startMember();
    } catch (error) {
      await this.#closeParts();
      throw error;
    }
    log(this.#logger, logEvents.placementStarted, {
      nodeId: this.#settings.nodeId,
      version: this.#settings.version,
      startMs: Math.round(systemClock.monotonicMs() - this.#startedMs),
      grpcAddress: this.listeners.map(({ address, port }) => `${address}:${String(port)}`).join(),
      clusterName: this.#settings.clusterName,
    });
  }

  async stop(): Promise<void> {
    if (this.#phase === 'stopping') return;
    this.#phase = 'stopping';
    log(this.#logger, logEvents.placementStopping, { reason: 'asked to' });
    this.#stopping.abort();
    await this.#node?.handOver(HAND_OVER_MS).catch(() => {});
    await this.#closeParts();
  }

  async #startServers(): Promise<void> {
    const settings = this.#settings;
    const parts = {
      settings,
      credentials: this.#credentials,
      placement: () => this.#node?.placement ?? null,
      membership: 'member' as const,
      node: () => this.#node,
      host: () => this.#host,
      transport: () => this.#transport,
      identity: () => this.#identity,
      uptimeSeconds: () => Math.floor((systemClock.monotonicMs() - this.#startedMs) / 1000),
      logger: this.#logger,
    };
    this.#admin = await openAdmin(parts, () => ({
      phase: this.#phase,
      status: this.#node?.status ?? null,
    }));
    this.#server = await openServer(parts);
    this.#tellHealth();
  }

  /**
   * A founder, and a member that has joined before, is open on return. One that joins for the first
   * time goes on by itself once a member of the cluster has answered.
   */
  async #startMember(): Promise<void> {
    this.#phase = 'joining';
    const known = await this.#findIdentity('known');
    if (known !== null) {
      await this.#openMember(known);
      return;
    }
    this.#findIdentity('join')
      .then(async (identity) => {
        if (identity !== null && !this.#stopping.signal.aborted) await this.#openMember(identity);
      })
      .catch((error: unknown) => {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      });
  }

  #findIdentity(how: 'known' | 'join'): Promise<ClusterIdentity | null> {
    return establishIdentity(this.#settings, nodeFileSystem, async () =>
      how === 'known' ? null : clusterToJoin(this.#peerOptions(), this.#stopping.signal),
    );
  }

  async #openMember(identity: ClusterIdentity): Promise<void> {
    const { clusterName, directory, raft, leaseCheckMs, start, nodes } = this.#settings;
    const { journalServerLostAfterMs } = this.#settings;
    const environment = {
      fileSystem: nodeFileSystem,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    };
    const self = this.#settings.nodeId as NodeId;
    const transport = new GrpcPeerTransport(
      peerTransportOptions(this.#settings, this.#credentials, identity.clusterId),
    );
    this.#transport = transport;
    this.#identity = identity;
    this.#host = await openRaftHost({
      directory: raftDirectoryOf(directory),
      nodeId: self,
      clusterId: identity.clusterId,
      environment,
      transport,
      tickMs: raft.tickMs,
      onFatal: (fault) => this.#memberFailed(fault.code, fault),
      onRefused: (refusal) => this.#refused(refusalSentence(this.#settings, refusal), refusal.by),
    });
    const { electionTimeoutTicks, heartbeatTicks, reads } = raft;
    const { logBytesMax, logEntriesMax, slackEntries } = raft;
    this.#node = await openPlacementNode({
      host: this.#host,
      directory: stateDirectoryOf(directory),
      bootstrap:
        start === 'join'
          ? { kind: 'join' }
          : { kind: 'found', voters: identity.founders.map((founder) => founder as NodeId) },
      addresses: new Map([...nodes].map(([node, address]) => [node as NodeId, address])),
      onPeers: (peers) => {
        this.#peers = peers;
        transport.setPeers(peers);
      },
      environment,
      tickMs: raft.tickMs,
      raftOptions: { electionTimeoutTicks, heartbeatTicks, reads },
      compaction: { logBytesMax, logEntriesMax, slackEntries },
      leaseCheckMs,
      controllers: leaderControllers(
        latePlacement(() => this.#node?.placement ?? null),
        { clusterName, journalServerLostAfterMs, onShardPlaced: logShardPlaced(this.#logger) },
      ),
      onControllerFailure: ({ controller, error }) =>
        log(this.#logger, logEvents.placementControllerFailed, {
          controller,
          err: error instanceof Error ? error : new Error(String(error)),
        }),
      onLeadership: (status) => this.#leadershipChanged(status),
    });
    this.#phase = 'serving';
    this.#startChecks(identity, this.#node);
  }

  #startChecks(identity: ClusterIdentity, node: PlacementNode): void {
    this.#peerCheck = new PeerCheck(this.#peerOptions(), identity, {
      isPeer: (peer) => this.#peers.has(peer),
      // A member that has never heard of its group was set up just now: then a stranger is a mistake to
      // stop at. Later an address may have changed hands, and this member is needed all the same.
      onMistake: (error) => {
        if (node.status.raft.commitIndex === 0) this.#refused(error.message, 0);
        else log(this.#logger, logEvents.placementWrongPeer, { detail: error.message });
      },
    });
    this.#peerCheck.start();
    this.#removalCheck = new RemovalCheck({
      timers: systemTimers,
      hasLeader: () => this.#leader !== null,
      peers: () => [...this.#peers.values()],
      ask: askRemoved(this.#credentials, this.#settings.nodeId),
      onRemoved: () => this.#refused(removedSentence(this.#settings), 0),
    });
    this.#removalCheck.start();
  }

  #peerOptions(): PeerCheckOptions {
    const { clusterName, nodeId, nodes } = this.#settings;
    const ask = askPeer(this.#credentials);
    return { clusterName, nodeId, nodes, ask, timers: systemTimers };
  }

  #leadershipChanged(status: RaftStatus): void {
    if (status.leader === this.#leader) return;
    this.#leader = status.leader;
    this.#tellHealth();
    log(this.#logger, logEvents.placementLeaderChanged, {
      leader: status.leader ?? 0,
      term: status.term,
      role: status.role,
    });
  }

  /** The services of the store answer while a leader is known; the server as a whole lives anyway. */
  #tellHealth(): void {
    const status = this.#leader === null ? 'notServing' : 'serving';
    for (const service of STORE_SERVICES) this.#server?.setServing(service, status);
  }

  /** Another member does not take this one for what it says it is. */
  #refused(sentence: string, by: number): void {
    if (this.#stopping.signal.aborted) return;
    log(this.#logger, logEvents.placementRefused, { by, detail: sentence });
    this.#fail(new PlacementCenterError('PLACEMENT_CENTER_REFUSED', sentence));
  }

  #memberFailed(code: string, fault: object): void {
    const { detail } = fault as { readonly detail?: string };
    const sentence = `this member can't go on: ${detail ?? code}`;
    log(this.#logger, logEvents.placementFailed, { code, detail: sentence });
    this.#fail(new PlacementCenterError('PLACEMENT_CENTER_FAILED', sentence));
  }

  async #closeParts(): Promise<void> {
    this.#peerCheck?.stop();
    this.#removalCheck?.stop();
    // Watches end first, or their streams would keep the server waiting.
    await this.#node?.endCalls();
    await this.#server?.close(DRAIN_MS);
    await this.#node?.close();
    await this.#host?.close();
    await this.#admin?.stop();
  }
}
