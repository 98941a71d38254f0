/** One shard with one replica on the disk of this machine, in this process. */
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import {
  newReplicaStores,
  openShardReplica,
  type ReplicaStores,
  type ShardReplica,
  SpaceWatch,
} from '@robustmq/journal-replica';
import type { NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork, openRaftHost, type RaftHost } from '@robustmq/raft-driver';

const MIB = 1024 * 1024;

export interface ShardUnderTest {
  readonly replica: ShardReplica;
  readonly stores: ReplicaStores;
  close(): Promise<void>;
}

export async function openShardUnderTest(directory: string): Promise<ShardUnderTest> {
  const timers = systemTimers;
  const fileSystem = nodeFileSystem;
  const environment = { fileSystem, clock: systemClock, timers, random: systemRandom };
  const host: RaftHost = await openRaftHost({
    directory,
    nodeId: 1 as NodeId,
    clusterId: 'bench',
    environment,
    transport: new MemoryPeerNetwork(timers).open(1 as NodeId),
    onFatal: (fault) => {
      throw new Error(`the group failed: ${JSON.stringify(fault)}`);
    },
    onRefused: () => undefined,
  });
  const sizes = { batchCacheBytesMax: 64 * MIB, indexCacheBytesMax: 64 * MIB };
  const stores = newReplicaStores(fileSystem, sizes);
  const space = await SpaceWatch.open({ environment, directory, diskFreeBytesMin: 0 });
  const replica = await openShardReplica({
    host,
    environment,
    stores,
    space,
    directory: `${directory}/shards/1`,
    name: 'bench',
    groupId: 1,
    bootstrap: { kind: 'found', voters: [1 as NodeId] },
    limits: { segmentBytesMax: 64 * MIB },
  });
  const close = async (): Promise<void> => {
    space.close();
    await host.close();
  };
  return { replica, stores, close };
}
