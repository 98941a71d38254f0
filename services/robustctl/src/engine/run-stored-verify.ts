import { type FileSystem, fileErrorCode, readWholeFile } from '@robustmq/environment';
import { decodeShardCommand, inspectBatch } from '@robustmq/journal';
import { checkDatabase, LevelStateError } from '@robustmq/level-state';
import { type InspectedSegment, inspectLog } from '@robustmq/raft-driver';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import type { RecordFlags } from './engine-flags.ts';
import { type StoredGroup, withStoredGroups } from './stored-groups.ts';

/** One place where bytes are not what was written. */
interface Damage {
  readonly file: string;
  /** null: in the file as a whole. */
  readonly position: number | null;
  readonly detail: string;
}

/** `engine verify [GROUP] --data DIRECTORY` */
export function runStoredVerify(
  directory: string,
  wanted: string | undefined,
  flags: RecordFlags,
): Promise<void> {
  return withStoredGroups(directory, wanted, async (groups, fileSystem) => {
    const damages: Damage[] = [];
    for (const group of groups) {
      const { segments, found } = await verifyGroup(group, fileSystem);
      damages.push(...found);
      const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
      const { groupId, kind } = group;
      const told = { groupId, kind, segments: segments.length, bytes, damages: found };
      if (flags.output === 'json') print(JSON.stringify(told));
      else print(`group ${groupId} (${kind}): ${segments.length} segments, ${bytes} bytes`);
      if (flags.output !== 'json') for (const damage of found) print(damageText(damage));
    }
    if (damages.length === 0) return;
    const advice = 'a replica on another server is whole: see docs/guides/journal.md';
    throw new CommandError(ExitCode.failed, `${damages.length} places are damaged; ${advice}`);
  });
}

/** `engine segment list [GROUP] --data DIRECTORY` */
export function runStoredSegments(
  directory: string,
  wanted: string | undefined,
  flags: RecordFlags,
): Promise<void> {
  return withStoredGroups(directory, wanted, async (groups, fileSystem) => {
    const rows: (readonly string[])[] = [];
    for (const { groupId, logDirectory } of groups) {
      for (const segment of await inspectLog(fileSystem, logDirectory, () => {})) {
        if (flags.output === 'json') print(JSON.stringify({ groupId, ...segment }));
        rows.push([String(groupId), ...cellsOf(segment)]);
      }
    }
    if (flags.output !== 'json') print(table(SEGMENT_HEADING, rows));
  });
}

const SEGMENT_HEADING = ['group', 'segment', 'first entry', 'last entry', 'bytes', 'torn', 'is'];

function cellsOf(segment: InspectedSegment): readonly string[] {
  const { number, firstIndex, lastIndex, bytes, tornBytes, damage } = segment;
  const entries = [number, firstIndex, lastIndex, bytes, tornBytes].map(String);
  return [...entries, damage === null ? 'whole' : `damaged at byte ${damage.position}`];
}

async function verifyGroup(
  group: StoredGroup,
  fileSystem: FileSystem,
): Promise<{ readonly segments: readonly InspectedSegment[]; readonly found: readonly Damage[] }> {
  const found: Damage[] = [];
  const segments = await inspectLog(fileSystem, group.logDirectory, (entry) => {
    if (group.kind !== 'messages' || entry.kind !== 'data') return;
    const command = decodeShardCommand(entry.data);
    if (command?.kind !== 'append') return;
    if (inspectBatch(entry.data, command.batchStart, entry.data.length) === 'valid') return;
    const detail = `the record batch of entry ${entry.index} fails its checksum`;
    found.push({ file: group.logDirectory, position: null, detail });
  });
  for (const { path, damage } of segments)
    if (damage !== null) found.push({ file: path, ...damage });
  if (group.kind === 'keyed') found.push(...(await verifyState(group, fileSystem)));
  return { segments, found };
}

/** What a keyed replica has applied, in LevelDB. */
async function verifyState(
  { filesDirectory }: StoredGroup,
  fileSystem: FileSystem,
): Promise<readonly Damage[]> {
  const pointer = await readWholeFile(fileSystem, `${filesDirectory}/STATE`);
  // It has applied nothing yet.
  if (pointer === null) return [];
  const name = new TextDecoder().decode(pointer).trim();
  try {
    await checkDatabase(unchanging(fileSystem), `${filesDirectory}/${name}`);
    return [];
  } catch (error) {
    if (!(error instanceof LevelStateError)) {
      if (fileErrorCode(error) === 'EROFS') return [];
      throw error;
    }
    return [{ file: `${filesDirectory}/${name}`, position: null, detail: error.message }];
  }
}

/**
 * A torn write-ahead log is cut at a start, and what was in it is had again from the Raft log; here it stays.
 * Tables are checked before.
 */
function unchanging(fileSystem: FileSystem): FileSystem {
  return {
    ...fileSystem,
    open: (path, mode) => {
      if (mode === 'read') return fileSystem.open(path, mode);
      const refusal = Object.assign(new Error(`${path} is not to be changed`), { code: 'EROFS' });
      return Promise.reject(refusal);
    },
  };
}

function damageText({ file, position, detail }: Damage): string {
  return `damaged: ${file}${position === null ? '' : ` at byte ${position}`}: ${detail}`;
}
