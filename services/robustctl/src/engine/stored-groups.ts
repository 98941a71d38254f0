/**
 * The replicas in the data directory of a journal server that does not run.
 *
 *     <directory>/raft/groups/shard-7     the log of the Raft group 7, of messages
 *     <directory>/raft/groups/keyed-8     of the group 8, keyed; what was applied is in shards/8
 *     <directory>/shards/7                what a replica keeps beside its log
 *
 * The names of shards are in the placement center; `engine shard list --output json` tells their groups.
 */
import { type FileSystem, fileErrorCode, nodeFileSystem } from '@robustmq/environment';
import { CommandError, ExitCode } from '../exit-code.ts';

/** One replica on disk. */
export interface StoredGroup {
  readonly groupId: number;
  readonly kind: 'messages' | 'keyed';
  /** Of the Raft log. */
  readonly logDirectory: string;
  /** Of what is kept beside it. */
  readonly filesDirectory: string;
}

/**
 * Uses the replicas of a directory, or the one of a group, while nobody else does.
 *
 * @param wanted  a group id, or the name of its directory; undefined: all
 * @throws CommandError when there are none, or a server runs on the directory
 */
export async function withStoredGroups(
  directory: string,
  wanted: string | undefined,
  use: (groups: readonly StoredGroup[], fileSystem: FileSystem) => Promise<void>,
): Promise<void> {
  const fileSystem = nodeFileSystem;
  const raftDirectory = `${directory}/raft`;
  if ((await fileSystem.status(`${raftDirectory}/groups`)) === null) {
    const detail = `${directory} is no data directory of a journal server: it has no raft/groups`;
    throw new CommandError(ExitCode.inputOutput, detail);
  }
  const release = await lockUnused(fileSystem, raftDirectory);
  try {
    const groups = await groupsIn(directory, fileSystem);
    const chosen = wanted === undefined ? groups : groups.filter((group) => isNamed(group, wanted));
    if (chosen.length === 0) {
      const what = wanted === undefined ? 'any group' : `the group ${wanted}`;
      throw new CommandError(ExitCode.inputOutput, `${directory} has no replica of ${what}`);
    }
    await use(chosen, fileSystem);
  } finally {
    await release();
  }
}

async function lockUnused(fileSystem: FileSystem, directory: string): Promise<() => Promise<void>> {
  try {
    const lock = await fileSystem.lock(directory);
    return () => lock.release();
  } catch (error) {
    if (fileErrorCode(error) !== 'ELOCKED') throw error;
    const detail = `${error instanceof Error ? error.message : String(error)}; stop the server first`;
    throw new CommandError(ExitCode.unavailable, detail, { cause: error });
  }
}

async function groupsIn(
  directory: string,
  fileSystem: FileSystem,
): Promise<readonly StoredGroup[]> {
  const names = await fileSystem.list(`${directory}/raft/groups`);
  const groups = names.flatMap((name): StoredGroup[] => {
    const parts = /^(shard|keyed)-(\d+)$/.exec(name);
    if (parts === null) return [];
    const groupId = Number(parts[2]);
    return [
      {
        groupId,
        kind: parts[1] === 'keyed' ? 'keyed' : 'messages',
        logDirectory: `${directory}/raft/groups/${name}`,
        filesDirectory: `${directory}/shards/${groupId}`,
      },
    ];
  });
  return groups.toSorted((first, second) => first.groupId - second.groupId);
}

function isNamed({ groupId, logDirectory }: StoredGroup, wanted: string): boolean {
  return wanted === String(groupId) || logDirectory.endsWith(`/${wanted}`);
}
