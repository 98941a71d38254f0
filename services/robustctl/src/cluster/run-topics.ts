import type { KeyedRecord, KeyedShard } from '@robustmq/journal';
import { BROKER_NAMESPACE, type PageRequest, type Registries } from '@robustmq/placement-registry';
import type { CallOptions } from '@robustmq/placement';
import { withJournal } from '../engine/with-journal.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { ListFlags } from './cluster-flags.ts';
import { type ListLayout, printPages } from './paged-list.ts';

const TABLE_PREFIX = 'retained-';
const SHARDS_PER_PAGE = 500;

/** A topic that has a retained message. */
export interface RetainedTopic {
  readonly topic: string;
  /** As it is stored, properties included. */
  readonly bytes: number;
}

/** Where the retained messages of a part of the topics are. */
export type RetainedTable = Pick<KeyedShard, 'list'>;

const TOPICS: ListLayout<RetainedTopic> = {
  heading: ['topic', 'bytes'],
  row: ({ topic, bytes }) => [topic, String(bytes)],
  record: (retained) => retained,
};

/** `topic list`: the topics that have a retained message, read where the cluster keeps them. */
export function runTopicList(flags: ListFlags): Promise<void> {
  return withJournal(flags, BROKER_NAMESPACE, async ({ journal, registries, call }) => {
    const names = await tableNames(registries, call);
    if (names.length === 0) {
      const message = 'no broker of this cluster has made a place for retained messages yet';
      throw new CommandError(ExitCode.unavailable, message);
    }
    const tables: RetainedTable[] = [];
    for (const name of names) tables.push(await journal.openTable(name));
    await printPages(flags, TOPICS, async (page) => {
      const { topics, next } = await retainedTopics(tables, page, call.deadlineMs);
      const items = topics.map((value) => ({ value, names: [value.topic] }));
      return { items, next };
    });
  });
}

/**
 * A page of the topics of all tables, in the order of their bytes. It may be shorter than asked for, or
 * empty, and not be the last.
 */
export async function retainedTopics(
  tables: readonly RetainedTable[],
  { after, limit }: PageRequest,
  deadlineMs: number,
): Promise<{ readonly topics: readonly RetainedTopic[]; readonly next: string | null }> {
  const parts = await Promise.all(tables.map((table) => table.list(after, limit, deadlineMs)));
  const begun = parts.filter((records) => records.length > 0);
  // Behind the last one of a table there may be others: what comes after it in another one has to wait.
  const ends = begun.map((records) => (records.at(-1) as KeyedRecord).key).sort(byBytes);
  const end = ends[0];
  if (end === undefined) return { topics: [], next: null };
  const found = begun
    .flat()
    .filter(({ key }) => byBytes(key, end) <= 0)
    .sort((one, other) => byBytes(one.key, other.key))
    .slice(0, limit);
  const topics = found.map(({ key, value }) => ({ topic: key, bytes: value.length }));
  return { topics, next: topics.at(-1)?.topic ?? null };
}

async function tableNames(registries: Registries, call: CallOptions): Promise<readonly string[]> {
  const names: string[] = [];
  let after: string | null = null;
  do {
    const page = await registries.shards.list(
      BROKER_NAMESPACE,
      { after, limit: SHARDS_PER_PAGE },
      call,
    );
    for (const { value } of page.items) {
      if (value.shard.startsWith(TABLE_PREFIX)) names.push(value.shard);
    }
    after = page.next;
  } while (after !== null);
  return names;
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
