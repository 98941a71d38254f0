import {
  type JournalReader,
  type KeyedShard,
  type KeyedTail,
  type RecordBatch,
  RecordBatchReader,
  type SharedJournal,
  type SharedShard,
  type ShardTail,
} from '@robustmq/journal';
import type { ProcessLife } from './process-life.ts';

type Gate = <Answer>(outside: Promise<Answer>) => Promise<Answer>;

/**
 * The journal as one life of a broker sees it: answers take a while, each kind at its own pace, and none
 * reaches a process that is dead. What it has sent may arrive all the same.
 */
export function journalSeenBy(
  life: ProcessLife,
  journal: SharedJournal,
  delayMs: () => number,
  tell: ((line: string) => void) | null,
): SharedJournal {
  /** Answers that come over one handle come in order. */
  const lane = (): Gate => {
    let lastAtMs = 0;
    return (outside) =>
      life.answered(outside, () => {
        const nowMs = life.clock.monotonicMs();
        lastAtMs = Math.max(lastAtMs, nowMs + delayMs());
        return lastAtMs - nowMs;
      });
  };
  return {
    openShard: async (name) => shardSeen(await journal.openShard(name), lane, told(life, tell)),
    openTable: async (name) => tableSeen(await journal.openTable(name), lane, told(life, tell)),
    close: () => journal.close(),
  };
}

type Told = <Answer>(what: () => string, outside: Promise<Answer>) => Promise<Answer>;

/** The story of what is asked, and when it is decided there. */
function told({ name }: ProcessLife, tell: ((line: string) => void) | null): Told {
  if (tell === null) return (_what, outside) => outside;
  return (what, outside) => {
    const text = `${name}: ${what()}`;
    outside.then(
      (answer) => tell(`${text} -> ${JSON.stringify(answer)?.slice(0, 200)}`),
      (error: unknown) => tell(`${text} -> ${String(error)}`),
    );
    return outside;
  };
}

function topicsOf(batch: RecordBatch): string {
  const reader = new RecordBatchReader();
  reader.open(batch.bytes, 0);
  const topics: string[] = [];
  while (reader.next()) topics.push(reader.record().topic);
  return topics.join(' ');
}

function shardSeen(shard: SharedShard, lane: () => Gate, tell: Told): SharedShard {
  const appends = failingAlike(lane());
  const others = lane();
  return {
    name: shard.name,
    append: (batch, options) => {
      const { incarnation } = options.producer;
      const what = (): string => `append to ${shard.name} as ${incarnation}: ${topicsOf(batch)}`;
      return appends(() => tell(what, shard.append(batch, options)));
    },
    committed: (deadlineMs) => others(shard.committed(deadlineMs)),
    get oldest() {
      return shard.oldest;
    },
    openReader: (from, selector) => readerSeen(shard.openReader(from, selector), lane()),
    readAt: (offset) => others(shard.readAt(offset)),
    openTail: (from, selector) => tailSeen(shard.openTail(from, selector), lane()),
    offsetAt: (atMs) => others(shard.offsetAt(atMs)),
    trimBefore: (offset) => others(shard.trimBefore(offset)),
    fence: (producer) =>
      others(tell(() => `fence ${producer.id}.${producer.incarnation}`, shard.fence(producer))),
  };
}

/**
 * An append that is called before its caller has heard that one before it failed fails alike, and never
 * arrives: see `SharedShard.append`.
 */
function failingAlike(gate: Gate): <Answer>(ask: () => Promise<Answer>) => Promise<Answer> {
  let unheard = 0;
  let failure: unknown = null;
  return async (ask) => {
    const outside =
      unheard > 0
        ? Promise.reject(failure as Error)
        : ask().catch((error: unknown) => {
            failure = error;
            throw error;
          });
    const counted = outside.catch((error: unknown) => {
      unheard += 1;
      throw error;
    });
    try {
      return await gate(counted);
    } catch (error) {
      unheard -= 1;
      throw error;
    }
  };
}

/** Its position moves with the answer. */
function readerSeen(reader: JournalReader, gate: Gate): JournalReader {
  let { position } = reader;
  return {
    get position() {
      return position;
    },
    read: async (recordsMax, bytesMax) => {
      const read = reader.read(recordsMax, bytesMax).then((records) => {
        return { records, at: reader.position };
      });
      const { records, at } = await gate(read);
      position = at;
      return records;
    },
  };
}

function tailSeen(tail: ShardTail, gate: Gate): ShardTail {
  let { position } = tail;
  return {
    get position() {
      return position;
    },
    next: async (recordsMax, bytesMax) => {
      const next = tail.next(recordsMax, bytesMax).then((records) => {
        return { records, at: tail.position };
      });
      const { records, at } = await gate(next);
      position = at;
      return records;
    },
    close: () => tail.close(),
  };
}

function tableSeen(table: KeyedShard, lane: () => Gate, tell: Told): KeyedShard {
  const writes = lane();
  const others = lane();
  return {
    name: table.name,
    write: (keyed, deadlineMs) => {
      const what = (): string =>
        `write ${keyed.map(({ key, fence }) => `${key}@${fence}`).join(' ')}`;
      return writes(tell(what, table.write(keyed, deadlineMs)));
    },
    claim: (key, fence, deadlineMs) =>
      writes(tell(() => `claim ${key}@${fence}`, table.claim(key, fence, deadlineMs))),
    read: (key, deadlineMs) => others(table.read(key, deadlineMs)),
    list: (after, limit, deadlineMs) => others(table.list(after, limit, deadlineMs)),
    revision: (deadlineMs) => others(table.revision(deadlineMs)),
    openTail: (after) => keyedTailSeen(table.openTail(after), lane()),
  };
}

function keyedTailSeen(tail: KeyedTail, gate: Gate): KeyedTail {
  let { position } = tail;
  return {
    get position() {
      return position;
    },
    next: async (changesMax) => {
      const next = tail.next(changesMax).then((changes) => ({ changes, at: tail.position }));
      const { changes, at } = await gate(next);
      position = at;
      return changes;
    },
    close: () => tail.close(),
  };
}
