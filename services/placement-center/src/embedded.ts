/**
 * A placement center of one member inside another process: no network, the same state and the same
 * guarantees. What `standalone` runs.
 */
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { openPlacementNode, type PlacementNode } from '@robustmq/placement-node';
import {
  type NodeDescription,
  openRegistries,
  type Registration,
} from '@robustmq/placement-registry';
import type { NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork, openRaftHost, type RaftHost } from '@robustmq/raft-driver';
import { raftDirectoryOf, stateDirectoryOf } from './cluster/directories.ts';
import { latePlacement } from './cluster/late-placement.ts';
import { leaderControllers } from './cluster/leader-controllers.ts';

export interface EmbeddedPlacementOptions {
  /** Created when absent. */
  readonly directory: string;
  readonly clusterName: string;
  /** Who the process is, as other parts find it in the registry of nodes. */
  readonly node: NodeDescription;
  /** The process must end: what is on disk can't be written or trusted. */
  readonly onFatal: (detail: string) => void;
  readonly onControllerFailure: (controller: string, error: unknown) => void;
}

export interface EmbeddedPlacement {
  readonly placement: Placement;
  /** Of this life of the process: higher than that of every earlier one. */
  readonly registration: Registration;
  /** Unregisters the node and closes. Idempotent. */
  close(): Promise<void>;
}

const TICK_MS = 20;
const ELECTION_TICKS = 3;
/** An idle group of one sleeps: it costs no timer. */
const QUIESCE_AFTER_TICKS = 50;
/** A standalone broker has no journal servers; the loop has nothing to do. */
const JOURNAL_SERVER_LOST_AFTER_MS = 60_000;
const LEASE_CHECK_MS = 1000;
const NODE_TTL_SECONDS = 30;
const HEARTBEAT_MS = 10_000;
const CALL_DEADLINE_MS = 10_000;
const LEAD_LOOK_MS = 5;

/** Resolves once it leads and the node is registered. @throws what the disk has against it */
export async function openEmbeddedPlacement(
  options: EmbeddedPlacementOptions,
): Promise<EmbeddedPlacement> {
  const host = await openHost(options);
  let node: PlacementNode | null = null;
  try {
    node = await openNode(options, host, () => node?.placement ?? null);
    await leads(node);
    return await register(options, host, node);
  } catch (error) {
    await node?.close();
    await host.close();
    throw error;
  }
}

const SELF = 1 as NodeId;

function openHost({
  directory,
  clusterName,
  onFatal,
}: EmbeddedPlacementOptions): Promise<RaftHost> {
  return openRaftHost({
    directory: raftDirectoryOf(directory),
    nodeId: SELF,
    clusterId: clusterName,
    environment: {
      fileSystem: nodeFileSystem,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    },
    transport: new MemoryPeerNetwork(systemTimers).open(SELF),
    tickMs: TICK_MS,
    onFatal: (fault) => onFatal('detail' in fault ? fault.detail : fault.code),
    onRefused: () => {},
  });
}

function openNode(
  options: EmbeddedPlacementOptions,
  host: RaftHost,
  placement: () => Placement | null,
): Promise<PlacementNode> {
  return openPlacementNode({
    host,
    directory: stateDirectoryOf(options.directory),
    bootstrap: { kind: 'found', voters: [SELF] },
    addresses: new Map(),
    onPeers: () => {},
    environment: { fileSystem: nodeFileSystem, clock: systemClock, timers: systemTimers },
    tickMs: TICK_MS,
    raftOptions: {
      electionTimeoutTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      quiesceAfterTicks: QUIESCE_AFTER_TICKS,
    },
    compaction: {},
    leaseCheckMs: LEASE_CHECK_MS,
    controllers: leaderControllers(latePlacement(placement), {
      clusterName: options.clusterName,
      journalServerLostAfterMs: JOURNAL_SERVER_LOST_AFTER_MS,
      onShardPlaced: () => {},
    }),
    onControllerFailure: ({ controller, error }) => options.onControllerFailure(controller, error),
    onLeadership: () => {},
  });
}

async function leads(node: PlacementNode): Promise<void> {
  const endMs = systemClock.monotonicMs() + CALL_DEADLINE_MS;
  while (!node.status.leads) {
    if (systemClock.monotonicMs() > endMs) throw new Error('the only member does not lead');
    await new Promise<void>((resolve) => systemTimers.after(LEAD_LOOK_MS, resolve));
  }
}

async function register(
  options: EmbeddedPlacementOptions,
  host: RaftHost,
  node: PlacementNode,
): Promise<EmbeddedPlacement> {
  const { placement } = node;
  const call = { deadlineMs: CALL_DEADLINE_MS, signal: null };
  const { nodes } = openRegistries(placement, {
    clusterName: options.clusterName,
    random: systemRandom,
  });
  const life = (): { readonly ttlSeconds: number; readonly nowMs: number } => ({
    ttlSeconds: NODE_TTL_SECONDS,
    nowMs: systemClock.nowMs(),
  });
  const registration = await nodes.register(options.node, life(), call);
  // A process that was suspended longer than its lease lives has lost it; nobody else can have the
  // directory, so the next start registers anew.
  const heartbeat = systemTimers.every(HEARTBEAT_MS, () => {
    nodes.heartbeat(registration, call).catch((error: unknown) => {
      options.onControllerFailure('heartbeat', error);
    });
  });
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    heartbeat.cancel();
    await nodes.unregister(options.node, call).catch(() => false);
    await node.close();
    await host.close();
  };
  return {
    placement,
    registration,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
