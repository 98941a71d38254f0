import {
  type Clock,
  type FileSystem,
  nodeFileSystem,
  type RandomSource,
  systemClock,
  systemRandom,
  systemTimers,
  type Timers,
} from '@robustmq/environment';
import {
  type ExchangeCounters,
  journalExchange,
  newExchangeCounters,
  type RegistryPlaces,
  registryPlaces,
} from '@robustmq/journal-client';
import { newReplicaStores, SpaceWatch } from '@robustmq/journal-replica';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import {
  type Controller,
  openRegistries,
  type Registration,
  type Registries,
  runControllers,
} from '@robustmq/placement-registry';
import { leaseTicksFor, type NodeId } from '@robustmq/raft';
import { openRaftHost, type RaftHost } from '@robustmq/raft-driver';
import {
  type Credentials,
  defaultPeerLimits,
  defaultServerLimits,
  GrpcPeerTransport,
  journalService,
  openRpcServer,
  readCredentials,
  type RpcServer,
  silentObserver,
} from '@robustmq/rpc';
import {
  type AdminServer,
  createAdminServer,
  createJournalServerMetricsRegistry,
  type Logger,
  log,
  logEvents,
} from '@robustmq/telemetry';
import { DamageReports } from './admin/damage-reports.ts';
import { gaugesOf } from './admin/gauges.ts';
import { healthOf, type ServerCondition } from './admin/health.ts';
import type { JournalListener, JournalServer } from './journal-server.ts';
import { JournalServerError } from './journal-server-error.ts';
import { membership } from './membership.ts';
import { DEFAULT_HOST_SHARDS_RULES, hostShards } from './reconcile/host-shards.ts';
import type { JournalServerSettings } from './settings.ts';
import { tellSpaceBeside } from './tell-space.ts';
import { fetchEntries } from './repair/fetch-entries.ts';
import { repairEntries } from './repair/serve-entries.ts';
import { diskReplicas, type Mending } from './shards/disk-replicas.ts';
import { HostedShards } from './shards/hosted-shards.ts';

/** What a journal server takes from its surroundings. */
export interface JournalServerEnvironment {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** The placement center, over the network unless a test has it in process. Closed with the server. */
  connectPlacement(credentials: Credentials): Placement;
}

/** The surroundings of a process. */
export function systemEnvironment(
  settings: JournalServerSettings,
  logger: Logger,
): JournalServerEnvironment {
  const edges = { clock: systemClock, timers: systemTimers, random: systemRandom };
  return {
    ...edges,
    fileSystem: nodeFileSystem,
    logger,
    connectPlacement: ({ channel, token }) =>
      connectPlacement({
        ...edges,
        servers: settings.placementCenter,
        tls: channel,
        token,
        limits: null,
      }),
  };
}

/** Builds a journal server from its settings. */
export function assembleJournalServer(
  settings: JournalServerSettings,
  environment: JournalServerEnvironment,
): JournalServer {
  return new ServerProcess(settings, environment);
}

const HAND_OVER_MS = 1500;
const DRAIN_MS = 1000;
const CALL_MS = 10_000;
/** LIMIT: proposalBytesMax (a batch, or writes to keys, with its command) */
const proposalBytesMax = 16 * 1024 * 1024;
/** LIMIT: messageBytesMax (between servers and from clients) */
const messageBytesMax = 36 * 1024 * 1024;
/** An idle group sleeps after as many heartbeats: hundreds of them cost nothing then. */
const QUIESCE_HEARTBEATS = 50;

class ServerProcess implements JournalServer {
  readonly failed: Promise<Error>;
  readonly #settings: JournalServerSettings;
  readonly #environment: JournalServerEnvironment;
  readonly #logger: Logger;
  readonly #startedMs: number;
  readonly #stopping = new AbortController();
  readonly #fail: (error: Error) => void;
  readonly #exchange: ExchangeCounters = newExchangeCounters();
  readonly #damage: DamageReports;
  #phase: ServerCondition['phase'] = 'new';
  #credentials: Credentials = { server: null, channel: null, token: null };
  #admin: AdminServer | null = null;
  #server: RpcServer | null = null;
  #transport: GrpcPeerTransport | null = null;
  #host: RaftHost | null = null;
  #space: SpaceWatch | null = null;
  #shards: HostedShards | null = null;
  #placement: Placement | null = null;
  #places: RegistryPlaces | null = null;
  #registration: Registration | null = null;
  #loops: Promise<void> = Promise.resolve();

  constructor(settings: JournalServerSettings, environment: JournalServerEnvironment) {
    this.#settings = settings;
    this.#environment = environment;
    this.#logger = environment.logger;
    this.#damage = new DamageReports(environment.logger);
    this.#startedMs = environment.clock.monotonicMs();
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#fail = resolve;
  }

  get listeners(): readonly JournalListener[] {
    if (this.#server === null) return [];
    const kind = this.#settings.tls === null ? 'grpc' : 'grpc-tls';
    return [{ name: 'grpc', kind, address: this.#settings.grpc.host, port: this.#server.port }];
  }

  get httpAddress(): string | null {
    const address = this.#admin?.address() ?? null;
    return address === null ? null : `${address.host}:${String(address.port)}`;
  }

  async start(): Promise<void> {
    try {
      this.#credentials = await readCredentials(this.#settings);
      this.#admin = await this.#openAdmin();
      await this.#openHost();
      this.#server = await this.#openServer();
      this.#joinCluster();
    } catch (error) {
      await this.#closeParts();
      throw error;
    }
    this.#phase = 'serving';
    log(this.#logger, logEvents.journalServerStarted, {
      nodeId: this.#settings.nodeId,
      version: this.#settings.version,
      startMs: Math.round(this.#environment.clock.monotonicMs() - this.#startedMs),
      grpcAddress: this.listeners.map(({ address, port }) => `${address}:${String(port)}`).join(),
      clusterName: this.#settings.clusterName,
    });
  }

  async stop(): Promise<void> {
    if (this.#phase === 'stopping') return;
    this.#phase = 'stopping';
    log(this.#logger, logEvents.journalServerStopping, { reason: 'asked to' });
    this.#server?.setServing(journalService.name, 'notServing');
    // Not registered any more first: who leads next would give a shard that prefers this server back to it.
    await this.#endLoops();
    await this.#shards?.handOverAll(HAND_OVER_MS);
    await this.#closeParts();
  }

  async #openAdmin(): Promise<AdminServer | null> {
    const { http, clusterName, version, nodeId } = this.#settings;
    if (!http.enabled) return null;
    const admin = createAdminServer({
      host: http.host,
      port: http.port,
      portKey: 'prometheus_port',
      node: { name: clusterName, version, id: nodeId },
      metrics: createJournalServerMetricsRegistry(
        gaugesOf({
          isRegistered: () => this.#registration !== null,
          shards: () => this.#shards,
          host: () => this.#host,
          exchange: this.#exchange,
          damage: this.#damage.counters,
        }),
      ),
      health: healthOf(() => ({
        phase: this.#phase,
        isRegistered: this.#registration !== null,
        shards: this.#shards?.list() ?? [],
      })),
      onFailure: (error, path) => {
        const err = error instanceof Error ? error : new Error(String(error));
        log(this.#logger, logEvents.adminRequestFailed, { path, err });
      },
    });
    await admin.start();
    return admin;
  }

  /** The Raft host with nothing open in it. */
  async #openHost(): Promise<void> {
    const { directory, nodeId, clusterName, raft, nodes } = this.#settings;
    const { fileSystem, clock, timers, random } = this.#environment;
    const environment = { fileSystem, clock, timers, random };
    const { channel: tls, token } = this.#credentials;
    const transport = new GrpcPeerTransport({
      cluster: clusterName,
      self: nodeId as NodeId,
      tls,
      token,
      limits: { ...defaultPeerLimits, messageBytesMax },
      observer: { connected: () => {}, lost: () => {} },
      random,
      timers,
    });
    this.#transport = transport;
    transport.setPeers(peersOf(nodes));
    this.#host = await openRaftHost({
      directory: `${directory}/raft`,
      nodeId: nodeId as NodeId,
      clusterId: clusterName,
      environment,
      transport,
      tickMs: raft.tickMs,
      proposalBytesMax,
      onFatal: (fault, group) => this.#hostFailed(fault.code, { fault, group }),
      onRefused: ({ by, sentence }) => this.#refused(by, sentence),
    });
    const space = { environment, directory, diskFreeBytesMin: this.#settings.diskFreeBytesMin };
    this.#space = await SpaceWatch.open(space);
    this.#shards = this.#newShards(this.#host, this.#space);
  }

  #newShards(host: RaftHost, space: SpaceWatch): HostedShards {
    const { directory, nodeId, raft, segmentBytesMax, cacheBytesMax } = this.#settings;
    const { fileSystem, clock, timers, random } = this.#environment;
    const { electionTimeoutTicks, heartbeatTicks } = raft;
    const opener = diskReplicas({
      host,
      environment: { fileSystem, clock, timers, random },
      stores: newReplicaStores(fileSystem, {
        batchCacheBytesMax: cacheBytesMax,
        indexCacheBytesMax: cacheBytesMax,
      }),
      space,
      directory,
      segmentBytesMax,
      mending: this.#mending(),
      raftOptions: {
        electionTimeoutTicks,
        heartbeatTicks,
        leaseTicks: leaseTicksFor(electionTimeoutTicks),
        quiesceAfterTicks: QUIESCE_HEARTBEATS * heartbeatTicks,
      },
    });
    const addressOf = (node: number): string | null => this.#addressOf(node);
    const shards = new HostedShards({ self: nodeId, opener, clock, timers, addressOf });
    shards.onLeadership(({ name: shard, leader, term, role }) => {
      log(this.#logger, logEvents.shardLeaderChanged, { shard, leader: leader ?? 0, term, role });
    });
    return shards;
  }

  #addressOf(node: number): string | null {
    return this.#places?.addressOf(node) ?? this.#settings.nodes.get(node) ?? null;
  }

  #mending(): Mending {
    const { nodeId, clusterName, scrubBytesPerSecond } = this.#settings;
    const { channel: tls, token } = this.#credentials;
    const { signal } = this.#stopping;
    const addressOf = (node: number): string | null => this.#addressOf(node);
    const sources = { clusterName, tls, token, messageBytesMax, signal, addressOf };
    return {
      self: nodeId,
      scrubBytesPerSecond,
      fetchEntries: (wanted) => fetchEntries(sources, wanted),
      onDamage: (shard, found) => this.#damage.report(shard, found),
    };
  }

  #openServer(): Promise<RpcServer> {
    const { grpc, clusterName } = this.#settings;
    const shards = this.#shards as HostedShards;
    const { timers } = this.#environment;
    const mistake = (task: string, error: unknown): void => this.#taskFailed(task, error);
    return openRpcServer({
      host: grpc.host,
      port: grpc.port,
      tls: this.#credentials.server,
      clusterToken: this.#credentials.token,
      services: [
        journalExchange({
          directory: shards,
          timers,
          counters: this.#exchange,
          reportMistake: (error) => mistake('a request of a journal client', error),
        }),
        (this.#transport as GrpcPeerTransport).service(),
        repairEntries({ clusterName, replicaOfGroup: (group) => shards.replicaOfGroup(group) }),
      ],
      limits: { ...defaultServerLimits, messageBytesMax },
      observer: { ...silentObserver, handlerFailed: mistake },
    });
  }

  /** From here on the placement center is followed, now or when it answers. */
  #joinCluster(): void {
    const { clusterName } = this.#settings;
    const { random, timers } = this.#environment;
    const placement = this.#environment.connectPlacement(this.#credentials);
    this.#placement = placement;
    const registries = openRegistries(placement, { clusterName, random });
    this.#places = registryPlaces({
      registries,
      fallback: [],
      timers,
      random,
      onServers: (addresses) => this.#transport?.setPeers(this.#peers(addresses)),
    });
    const loops = [this.#membership(placement, registries)];
    const reportFailure = ({ controller: task, error }: { controller: string; error: unknown }) =>
      this.#taskFailed(task, error);
    this.#loops = runControllers(loops, { timers, random, reportFailure }, this.#stopping.signal);
  }

  #membership(placement: Placement, registries: Registries): ReturnType<typeof membership> {
    const { nodeId, version, nodeTtlSeconds, nodes, grpc } = this.#settings;
    const { clock, timers } = this.#environment;
    const port = String(this.#server?.port ?? grpc.port);
    return membership({
      placement,
      nodes: registries.nodes,
      nodeId,
      address: nodes.get(nodeId) ?? `${grpc.host}:${port}`,
      version,
      ttlSeconds: nodeTtlSeconds,
      clock,
      timers,
      whileRegistered: (registration) => this.#whileRegistered(registration, registries),
      changed: (registration) => this.#registrationChanged(registration),
    });
  }

  #taskFailed(task: string, error: unknown): void {
    const err = error instanceof Error ? error : new Error(String(error));
    log(this.#logger, logEvents.taskFailed, { task, err });
  }

  #whileRegistered(registration: Registration, registries: Registries): Controller {
    const { timers, random } = this.#environment;
    return tellSpaceBeside(this.#hosting(registration, registries), {
      ...{ registration, nodes: registries.nodes, version: this.#settings.version },
      space: this.#space as SpaceWatch,
      ...{ timers, random, call: { deadlineMs: CALL_MS, signal: null } },
      onFailure: (error) => this.#taskFailed('telling about the disk', error),
    });
  }

  #hosting({ node }: Registration, registries: Registries): Controller {
    const { clock, timers, random } = this.#environment;
    const shardSet = this.#shards as HostedShards;
    const { nodeId, incarnation } = node;
    return hostShards({
      self: { nodeId, incarnation },
      shardSet,
      amountsOf: (name) => shardSet.amountsOf(name),
      registries,
      clock,
      timers,
      random,
      rules: DEFAULT_HOST_SHARDS_RULES,
      call: { deadlineMs: CALL_MS, signal: null },
      onFailure: ({ shard, step, error }) => {
        const err = error instanceof Error ? error : new Error(String(error));
        log(this.#logger, logEvents.shardStepFailed, { shard, step, err });
      },
    });
  }

  #registrationChanged(registration: Registration | null): void {
    const before = this.#registration;
    this.#registration = registration;
    if (registration !== null) {
      const { incarnation } = registration.node;
      log(this.#logger, logEvents.journalServerRegistered, { incarnation });
    } else if (before !== null && !this.#stopping.signal.aborted) {
      const { incarnation } = before.node;
      log(this.#logger, logEvents.journalServerUnregistered, { incarnation });
    }
  }

  /** What is configured holds until the placement center knows better. */
  #peers(registered: ReadonlyMap<number, string>): ReadonlyMap<NodeId, string> {
    return peersOf(new Map([...this.#settings.nodes, ...registered]));
  }

  #refused(by: number, detail: string): void {
    if (this.#stopping.signal.aborted) return;
    log(this.#logger, logEvents.journalServerRefused, { by, detail });
    this.#fail(new JournalServerError('JOURNAL_SERVER_REFUSED', detail));
  }

  #hostFailed(
    code: string,
    { fault, group }: { readonly fault: object; readonly group: string },
  ): void {
    const { detail = code } = fault as { readonly detail?: string };
    log(this.#logger, logEvents.journalServerFailed, { group, code, detail });
    const sentence = `this server can't go on: ${group}: ${detail}`;
    this.#fail(new JournalServerError('JOURNAL_SERVER_FAILED', sentence));
  }

  async #endLoops(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async #closeParts(): Promise<void> {
    await this.#endLoops();
    this.#places?.close();
    await this.#server?.close(DRAIN_MS);
    await this.#shards?.closeAll();
    await this.#host?.close();
    this.#space?.close();
    await this.#placement?.close();
    await this.#admin?.stop();
  }
}

function peersOf(addresses: ReadonlyMap<number, string>): ReadonlyMap<NodeId, string> {
  return new Map([...addresses].map(([node, address]) => [node as NodeId, address]));
}
