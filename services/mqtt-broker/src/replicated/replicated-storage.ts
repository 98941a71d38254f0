import type { KeyedShard, SharedShard } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { DurableSessionRegistry } from './durable-session-registry.ts';
import type { ReplicatedParts, ReplicatedPath } from './contract.ts';
import { MessageShards } from './message-shards.ts';
import { MESSAGE_SHARDS_MAX } from './place.ts';
import { ReplicatedGroups } from './replicated-groups.ts';
import { ReplicatedLog } from './replicated-log.ts';
import { RetainedFeed } from './retained-feed.ts';
import { ShardFeed } from './shard-feed.ts';
import { firstIncarnationOf, ShardWriter } from './shard-writer.ts';
import { ShardTrimmer } from './shard-trimmer.ts';
import { TableWriter } from './table-writer.ts';

const OPEN_DEADLINE_MS = 30_000;

/** What the replicated log of one broker works on. */
export interface ReplicatedStorage {
  readonly shards: MessageShards;
  /** By number of the message shard. */
  readonly writers: readonly ShardWriter[];
  readonly feeds: readonly ShardFeed[];
  readonly sessionTables: readonly TableWriter[];
  readonly retainedTables: readonly TableWriter[];
  readonly retainedFeed: RetainedFeed;
}

/**
 * Opens the shards of the cluster for this broker, and sets `context.log` and `context.groups`. Returns
 * when the retained messages are in memory; sessions come one by one. Nothing of a path that could not be
 * opened goes on; `context.log` is then to be set by the caller.
 *
 * @throws JournalError JOURNAL_UNAVAILABLE  some shard has no leader within 30 s
 */
export async function openReplicatedPath(
  context: BrokerContext,
  parts: ReplicatedParts,
): Promise<ReplicatedPath> {
  const { journal, counts } = parts;
  if (counts.messages < 1 || counts.messages > MESSAGE_SHARDS_MAX) {
    throw new Error(`${counts.messages} message shards: 1 to ${MESSAGE_SHARDS_MAX} are possible`);
  }
  const [shards, sessions, retained] = await Promise.all([
    openEach(counts.messages, (number) => journal.openShard(`mqtt-${number}`)),
    openEach(counts.sessions, (number) => journal.openTable(`sessions-${number}`)),
    openEach(counts.retained, (number) => journal.openTable(`retained-${number}`)),
  ]);
  const ends = await Promise.all(shards.map((shard) => shard.committed(OPEN_DEADLINE_MS)));
  const groups = new ReplicatedGroups(context);
  const storage = build(context, parts, { groups, shards, ends, sessions, retained });
  const log = new ReplicatedLog(context, storage, groups);
  context.log = log;
  context.groups = groups;
  const { retainedFeed } = storage;
  const trimmer = new ShardTrimmer(context, storage);
  const registry = new DurableSessionRegistry(context, storage, { log, groups });
  const stop = (): void => {
    registry.stop();
    groups.stop();
    log.groupRecords.stop();
    log.sessions.stop();
    stopStorage(storage);
  };
  for (const feed of storage.feeds) feed.start();
  retainedFeed.start();
  try {
    await retainedFeed.caughtUp(OPEN_DEADLINE_MS);
  } catch (error) {
    // The caller tries again: beside the feeds of the next path these bring every record once more.
    stop();
    throw error;
  }
  return {
    sessions: registry,
    retainedCaughtUp: (deadlineMs) => retainedFeed.caughtUp(deadlineMs),
    trimOnce: (deadlineMs) => trimmer.trimOnce(deadlineMs),
    tick: () => {
      log.sessions.refresh(context.sessions.all());
      groups.tick();
      log.groupRecords.tick(groups.dealers());
    },
    stop,
  };
}

function stopStorage(storage: ReplicatedStorage): void {
  storage.retainedFeed.stop();
  for (const feed of storage.feeds) feed.stop();
  for (const writer of storage.writers) writer.close();
  for (const table of [...storage.sessionTables, ...storage.retainedTables]) table.close();
}

function build(
  context: BrokerContext,
  parts: ReplicatedParts,
  opened: {
    readonly groups: ReplicatedGroups;
    readonly shards: readonly SharedShard[];
    readonly ends: readonly number[];
    readonly sessions: readonly KeyedShard[];
    readonly retained: readonly KeyedShard[];
  },
): ReplicatedStorage {
  const shards = new MessageShards(context, opened.shards);
  const failed = (error: unknown): void => context.fatal('writing to the journal failed', error);
  const fenced = parts.fenced ?? failed;
  const { timers } = context;
  const options = {
    timers,
    owner: { fenced, failed },
    producer: firstIncarnationOf(parts.producer),
    acknowledgement: context.settings.storage.acknowledge === 'sync' ? 'all-synced' : 'memory',
  } as const;
  return {
    shards,
    writers: opened.shards.map((shard, number) => {
      return new ShardWriter(shard, opened.ends[number] ?? 0, options);
    }),
    feeds: opened.ends.map((from, number) => {
      return new ShardFeed(context, shards, opened.groups, { number, from });
    }),
    sessionTables: opened.sessions.map((table) => new TableWriter(table, timers, failed)),
    retainedTables: opened.retained.map((table) => new TableWriter(table, timers, failed)),
    retainedFeed: new RetainedFeed(context, opened.retained),
  };
}

function openEach<Opened>(
  count: number,
  open: (number: number) => Promise<Opened>,
): Promise<Opened[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => open(number)));
}
