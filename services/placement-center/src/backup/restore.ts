/**
 * Makes a new cluster of one member from a backup: a data directory that a placement center starts
 * with. Offline, and never into a directory that holds something.
 */
import { randomUUID } from 'node:crypto';
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { assert } from '@robustmq/errors';
import { type Operation, singleKeyRange } from '@robustmq/placement';
import { MEMBER_KEYS, openPlacementNode, type PlacementNode } from '@robustmq/placement-node';
import { openPlacementStore } from '@robustmq/placement-store';
import type { LogIndex, NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork, openRaftHost } from '@robustmq/raft-driver';
import { type ClusterIdentity, writeClusterFile } from '../cluster/cluster-file.ts';
import { raftDirectoryOf, stateDirectoryOf } from '../cluster/directories.ts';
import { PlacementCenterError } from '../placement-center-error.ts';
import { type BackupHeader, openBackupFile } from './backup-file.ts';

export interface RestoreRequest {
  readonly file: string;
  /** Must not exist, or be empty. */
  readonly directory: string;
  readonly clusterName: string;
  readonly nodeId: number;
  /** Where the member will be reached, as `host:port`. */
  readonly address: string;
}

export interface Restored {
  readonly header: BackupHeader;
  readonly identity: ClusterIdentity;
  readonly revision: number;
}

const TICK_MS = 10;
const SEGMENT_BYTES = 16 * 1024;
const FILLED_SEGMENTS = 4;
const RESTORED_KEY = '/placement/restored';
const LEADER_DEADLINE_MS = 10_000;

/** @throws PlacementCenterError when the file is no whole backup, or the directory is in use */
export async function restoreBackup(request: RestoreRequest): Promise<Restored> {
  const { directory, clusterName, nodeId } = request;
  const backup = await openBackupFile(nodeFileSystem, request.file);
  if ((await nodeFileSystem.list(directory)).length > 0) {
    throw new PlacementCenterError(
      'PLACEMENT_CENTER_BACKUP',
      `${directory} is not empty: a backup is restored into a new directory`,
    );
  }
  // The directory gets its identity last: a restore that was interrupted leaves none to start with.
  await nodeFileSystem.makeDirectory(directory);
  const store = await openPlacementStore({
    directory: stateDirectoryOf(directory),
    fileSystem: nodeFileSystem,
  });
  try {
    // The new cluster's log begins at its start, whatever the index was in the old one.
    await store.install(0 as LogIndex, backup.content);
  } finally {
    await store.close();
  }
  const clusterId = `${clusterName}/${randomText()}`;
  const revision = await foundCluster(request, clusterId);
  const identity: ClusterIdentity = { clusterName, clusterId, founders: [nodeId], nodeId };
  await writeClusterFile(nodeFileSystem, directory, identity);
  return { header: backup.header, identity, revision };
}

/**
 * Leads the new cluster once, so that its log does not begin at the start: a member that joins must
 * get the restored content as a snapshot, and not a log that lacks it.
 *
 * The log forgets whole segments only, so a few small ones are filled before the snapshot.
 */
async function foundCluster(request: RestoreRequest, clusterId: string): Promise<number> {
  await withMember(request, clusterId, async (node) => {
    // The members of the old cluster, and the numbers that it used up, mean nothing in the new one.
    await perform(node, { kind: 'delete', range: MEMBER_KEYS });
    await node.members.correctAddresses(LEADER_DEADLINE_MS);
    const value = new Uint8Array(SEGMENT_BYTES / 4);
    for (let written = 0; written < FILLED_SEGMENTS * 4; written += 1) {
      await perform(node, { kind: 'put', key: RESTORED_KEY, value, lease: null });
    }
    await node.takeSnapshot();
  });
  return withMember(request, clusterId, async (node) => {
    const { firstIndex } = node.status.raft;
    assert(firstIndex > 1, `the log of the new cluster begins at ${String(firstIndex)}`);
    await perform(node, { kind: 'delete', range: singleKeyRange(RESTORED_KEY) });
    return node.status.revision;
  });
}

async function perform(node: PlacementNode, operation: Operation): Promise<void> {
  await node.placement.transact(
    { compare: [], then: [operation], otherwise: [], requestId: null },
    { deadlineMs: LEADER_DEADLINE_MS, signal: null },
  );
}

/** Opens the only member of the new cluster until `use` is over; it leads. */
async function withMember<Value>(
  request: RestoreRequest,
  clusterId: string,
  use: (node: PlacementNode) => Promise<Value>,
): Promise<Value> {
  const nodeId = request.nodeId as NodeId;
  const host = await openRaftHost({
    directory: raftDirectoryOf(request.directory),
    nodeId,
    clusterId,
    environment: {
      fileSystem: nodeFileSystem,
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
    },
    transport: new MemoryPeerNetwork(systemTimers).open(nodeId),
    tickMs: TICK_MS,
    segmentBytesMax: SEGMENT_BYTES,
    onFatal: () => {},
    onRefused: () => {},
  });
  const node = await openPlacementNode({
    host,
    directory: stateDirectoryOf(request.directory),
    bootstrap: { kind: 'found', voters: [nodeId] },
    addresses: new Map([[nodeId, request.address]]),
    onPeers: () => {},
    environment: { fileSystem: nodeFileSystem, clock: systemClock, timers: systemTimers },
    tickMs: TICK_MS,
    raftOptions: { electionTimeoutTicks: 3, heartbeatTicks: 1 },
    compaction: { slackEntries: 0 },
    leaseCheckMs: 60_000,
    controllers: [],
    onControllerFailure: () => {},
    onLeadership: () => {},
  });
  try {
    await leads(() => node.status.leads);
    return await use(node);
  } finally {
    await node.close();
    await host.close();
  }
}

async function leads(isLeader: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + LEADER_DEADLINE_MS;
  while (!isLeader()) {
    if (systemClock.monotonicMs() > endMs) {
      throw new PlacementCenterError(
        'PLACEMENT_CENTER_BACKUP',
        'the restored member did not begin to lead in time',
      );
    }
    await new Promise<void>((resolve) => systemTimers.after(TICK_MS, resolve));
  }
}

function randomText(): string {
  return randomUUID().replaceAll('-', '').slice(0, 16);
}
