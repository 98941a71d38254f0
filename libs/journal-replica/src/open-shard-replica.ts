import { assert } from '@robustmq/errors';
import type { ShardOutcome } from '@robustmq/journal';
import { Replica } from './replica.ts';
import { ShardFiles } from './shard-files.ts';
import { ShardMachine } from './shard-machine.ts';
import type { ShardReplica, ShardReplicaOptions } from './shard-replica.ts';

/** Entries in memory for followers that lag a little: a node may host hundreds of shards. */
const WINDOW_BYTES_MAX = 2 * 1024 * 1024;
const SEGMENT_BYTES_MIN = 4096;

/**
 * Opens the replica from what its directories hold; it takes part in elections from now on. Its
 * records can be read at once, up to what is known to be committed.
 *
 * @throws RaftError RAFT_LOG_CORRUPT, RAFT_IO_FAILED, RAFT_FULL  what is on disk can't be had or trusted
 */
export async function openShardReplica(options: ShardReplicaOptions): Promise<ShardReplica> {
  const { host, environment, stores, space, directory, groupId, bootstrap, limits } = options;
  const { segmentBytesMax } = limits;
  assert(segmentBytesMax >= SEGMENT_BYTES_MIN, 'segmentBytesMax is too small');
  const { fileSystem } = environment;
  await fileSystem.makeDirectory(directory);
  let replica: Replica | null = null;
  const machine = await ShardMachine.open({
    files: new ShardFiles(fileSystem, directory),
    stores,
    onMoved: () => replica?.moved(),
    onDamage: (segment) => replica?.suspect(segment),
    onClosing: async () => replica?.ended(),
  });
  const group = await host.openGroup<ShardOutcome>({
    name: groupNameOf(groupId),
    groupId,
    machine,
    bootstrap,
    retention: 'owner',
    segmentBytesMax,
    admitsEntries: () => space.admitsEntries,
    raftOptions: { windowBytesMax: WINDOW_BYTES_MAX, ...options.raftOptions },
  });
  replica = new Replica(options, machine, group);
  replica.moved();
  return replica;
}

/** The name of the Raft group, and of its directory below that of the host. */
export function groupNameOf(groupId: number): string {
  return `shard-${groupId}`;
}

/**
 * Removes what this node has of a shard that is not open here. It is no replica any more, and never
 * comes back under this group id. Idempotent.
 *
 * @throws RaftError RAFT_IO_FAILED  something is left; the shard can't be opened
 */
export async function deleteShardReplica(
  shard: Pick<ShardReplicaOptions, 'host' | 'environment' | 'directory' | 'groupId'>,
): Promise<void> {
  const { host, environment, directory, groupId } = shard;
  const { fileSystem } = environment;
  await host.deleteGroup(groupNameOf(groupId));
  if ((await fileSystem.status(directory)) === null) return;
  for (const name of await fileSystem.list(directory)) {
    await fileSystem.unlink(`${directory}/${name}`);
  }
  await fileSystem.removeDirectory(directory);
}
