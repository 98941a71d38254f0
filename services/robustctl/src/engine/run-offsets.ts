/**
 * Where consumer groups are in shards.
 *
 * They are kept in the keyed shard `offsets-0` of the brokers' namespace and not in the placement center:
 * a group commits several times a second for as long as it runs, which is what a keyed shard is made for
 * and what would crowd out everything else there.
 *
 *     key    {group}/{namespace}/{shard}; `%` and `/` inside of a name are written %25 and %2F
 *     value  JSON: {"v":1,"offset":N,"committedAtMs":N}
 *     fence  the generation of the group; a command line takes the one that stands there
 */
import type { KeyedRecord, KeyedShard } from '@robustmq/journal';
import { systemClock } from '@robustmq/environment';
import { BROKER_NAMESPACE, type ShardName } from '@robustmq/placement-registry';
import type { ClusterFlags } from '../cluster/cluster-flags.ts';
import { timeText } from '../cluster/run-lists.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import { shardNameFrom, shardText } from './engine-flags.ts';
import { knownShard, withJournal } from './with-journal.ts';

const OFFSETS = 'offsets-0';
const KEYS_PER_PAGE = 500;

/** One group's place in one shard. */
export interface GroupOffset extends ShardName {
  readonly group: string;
  /** The first record that the group has not consumed. */
  readonly offset: number;
  readonly committedAtMs: number;
}

/** `engine offset by-timestamp SHARD TIME` */
export function runOffsetByTimestamp(
  text: string,
  time: string,
  flags: ClusterFlags,
): Promise<void> {
  const name = shardNameFrom(text);
  const atMs = timeFrom(time);
  return withJournal(flags, name.namespace, async (used) => {
    await assertMessages(used, name);
    const shard = await used.journal.openShard(name.shard);
    const offset = await shard.offsetAt(atMs);
    const end = await shard.committed(used.call.deadlineMs);
    if (flags.output === 'json') print(JSON.stringify({ ...name, atMs, offset, end }));
    else print(offset === end ? `${offset} (the end: nothing is as new)` : String(offset));
  });
}

/** `engine offset by-group GROUP [SHARD]` */
export function runOffsetByGroup(
  group: string,
  text: string | undefined,
  flags: ClusterFlags,
): Promise<void> {
  const name = text === undefined ? null : shardNameFrom(text);
  const { timeout } = flags;
  return withJournal(flags, BROKER_NAMESPACE, async ({ journal }) => {
    const offsets = await journal.openTable(OFFSETS);
    const found = await offsetsOf(offsets, group, timeout * 1000);
    const wanted = found.filter((each) => name === null || shardText(each) === shardText(name));
    if (wanted.length === 0) {
      const where = name === null ? 'anywhere' : `in ${shardText(name)}`;
      throw new CommandError(ExitCode.unavailable, `group ${group} has no offset ${where}`);
    }
    if (flags.output === 'json') for (const each of wanted) print(JSON.stringify(each));
    else print(table(['shard', 'offset', 'committed at'], wanted.map(rowOf)));
  });
}

/** `engine offset commit GROUP SHARD OFFSET` */
export function runOffsetCommit(
  group: string,
  target: { readonly shard: string; readonly offset: number },
  flags: ClusterFlags,
): Promise<void> {
  const name = shardNameFrom(target.shard);
  const deadlineMs = flags.timeout * 1000;
  return withJournal(flags, BROKER_NAMESPACE, async (used) => {
    await assertMessages(used, name);
    const offsets = await used.journal.openTable(OFFSETS);
    const committed = { ...name, group, offset: target.offset, committedAtMs: systemClock.nowMs() };
    const key = offsetKey(committed);
    const before = await offsets.read(key, deadlineMs);
    const write = { key, fence: before?.fence ?? 0, value: encodeOffset(committed) };
    const [isTaken] = await offsets.write([write], deadlineMs);
    if (isTaken !== true) {
      const detail = `group ${group} has begun anew meanwhile: its own commit counts`;
      throw new CommandError(ExitCode.failed, detail);
    }
    if (flags.output === 'json') print(JSON.stringify(committed));
    else print(`${group} goes on at ${target.offset} in ${shardText(name)}`);
  });
}

async function assertMessages(
  used: Parameters<typeof knownShard>[0],
  name: ShardName,
): Promise<void> {
  const { kind } = await knownShard(used, name);
  if (kind === 'messages') return;
  throw new CommandError(ExitCode.usage, `${shardText(name)} is keyed: it has no offsets`);
}

async function offsetsOf(
  offsets: KeyedShard,
  group: string,
  deadlineMs: number,
): Promise<readonly GroupOffset[]> {
  const prefix = `${escapeName(group)}/`;
  const found: GroupOffset[] = [];
  let after: string | null = prefix;
  while (after !== null) {
    const page: readonly KeyedRecord[] = await offsets.list(after, KEYS_PER_PAGE, deadlineMs);
    for (const record of page) {
      if (!record.key.startsWith(prefix)) return found;
      const offset = decodeOffset(record);
      if (offset !== null) found.push(offset);
    }
    after = page.length < KEYS_PER_PAGE ? null : (page.at(-1)?.key ?? null);
  }
  return found;
}

function rowOf(each: GroupOffset): readonly string[] {
  return [shardText(each), String(each.offset), timeText(each.committedAtMs)];
}

export function offsetKey({
  group,
  namespace,
  shard,
}: ShardName & { readonly group: string }): string {
  return [group, namespace, shard].map(escapeName).join('/');
}

function escapeName(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}

function unescapeName(text: string): string {
  return text.replaceAll('%2F', '/').replaceAll('%25', '%');
}

function encodeOffset({ offset, committedAtMs }: GroupOffset): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, offset, committedAtMs }));
}

/** null: another version wrote it. */
function decodeOffset({ key, value }: KeyedRecord): GroupOffset | null {
  const [group, namespace, shard] = key.split('/').map(unescapeName);
  if (group === undefined || namespace === undefined || shard === undefined) return null;
  try {
    const read = JSON.parse(new TextDecoder().decode(value)) as Readonly<Record<string, unknown>>;
    const { v, offset, committedAtMs } = read;
    if (v !== 1 || typeof offset !== 'number' || typeof committedAtMs !== 'number') return null;
    return { group, namespace, shard, offset, committedAtMs };
  } catch {
    return null;
  }
}

/** Milliseconds since 1970, or a date as ISO 8601 has it. @throws CommandError `usage` */
function timeFrom(text: string): number {
  const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(atMs) && atMs >= 0) return atMs;
  throw new CommandError(
    ExitCode.usage,
    `"${text}" is no time: expected milliseconds since 1970 or such as 2026-01-31T12:00:00Z`,
  );
}
