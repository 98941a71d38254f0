/**
 * Loss of power at every operation on the disk, many seeds: whatever was acknowledged as durable is
 * there afterwards, in order, unchanged, and nothing that was never appended.
 */
import {
  FaultyFileSystem,
  ManualClock,
  MemoryFileSystem,
  SeededRandom,
} from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import type { Journal, JournalShard, Offset } from '@robustmq/journal';
import { JournalError } from '@robustmq/journal';
import { appendSamples, readToEnd, textOf } from '@robustmq/journal-conformance';
import { describe, expect, test } from 'vitest';
import { openSegmentJournal } from './segment-journal.ts';

const SEEDS = 300;
const APPENDS = 40;

function open(fileSystem: FileSystem, seed: number): Promise<Journal> {
  const environment = { fileSystem, clock: new ManualClock(0), random: new SeededRandom(seed) };
  return openSegmentJournal({ directory: 'data', segmentBytesMax: 3000 }, environment);
}

/** What the writer knows: every record it appended, and how many are promised to be durable. */
interface Ledger {
  readonly appended: Map<number, string>;
  /** Offsets below this are promised. */
  promised: number;
  trimmedBefore: number;
}

async function writeSome(shard: JournalShard, random: SeededRandom, ledger: Ledger): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  for (let i = 0; i < APPENDS; i += 1) {
    const topics = Array.from({ length: 1 + random.below(4) }, () => topicOf(random));
    const first = shard.next;
    for (const [n, topic] of topics.entries()) {
      // After the crash the writer is refused, and offers the same offsets again.
      if (ledger.appended.has(first + n)) continue;
      ledger.appended.set(first + n, `${first + n} ${topic} body ${first + n}`);
    }
    const ack = random.below(4) === 0 ? 'async' : 'sync';
    const append = appendSamples(shard, topics, ack);
    waiting.push(
      append.then(() => {
        if (ack === 'sync') ledger.promised = Math.max(ledger.promised, first + topics.length);
      }, ignoreFailure),
    );
    if (random.below(3) === 0) await Promise.all(waiting.splice(0));
    if (random.below(12) === 0) {
      ledger.trimmedBefore = Math.max(ledger.trimmedBefore, shard.committed - 10);
      await shard.trimBefore(ledger.trimmedBefore as Offset);
    }
  }
  await Promise.all(waiting);
}

function topicOf(random: SeededRandom): string {
  return `topic/${random.below(6)}/${'x'.repeat(random.below(random.below(8) === 0 ? 900 : 40))}`;
}

async function checkRecovered(disk: MemoryFileSystem, ledger: Ledger, seed: number): Promise<void> {
  const journal = await open(disk, seed + 1);
  const shard = await journal.openShard('s');
  const label = `seed ${seed}`;
  expect(shard.recovery.quarantined, label).toEqual([]);
  expect(shard.next, label).toBeGreaterThanOrEqual(ledger.promised);
  expect(shard.oldest, label).toBeLessThanOrEqual(Math.max(0, ledger.trimmedBefore));
  const records = await readToEnd(shard.openReader(shard.oldest, { kind: 'everything' }), 50);
  expect(records.map(textOf), label).toEqual(
    Array.from({ length: shard.next - shard.oldest }, (_, i) =>
      ledger.appended.get(shard.oldest + i),
    ),
  );
  // The index tells the same as the records.
  const selector = {
    kind: 'topics' as const,
    exact: [],
    matches: (topic: string) => topic.startsWith('topic/3'),
  };
  const some = await readToEnd(shard.openReader(shard.oldest, selector), 3);
  const wanted = records.filter((record) => record.topic.startsWith('topic/3'));
  expect(some.map(textOf), label).toEqual(wanted.map(textOf));
  const first = await appendSamples(shard, ['after'], 'sync');
  expect(await shard.readAt(first), label).toMatchObject({ topic: 'after' });
  await journal.close();
}

describe('after a loss of power', () => {
  test(`all that was promised is there, nothing else, in ${SEEDS} histories`, async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      const memory = new MemoryFileSystem();
      const crashAt = 5 + random.below(150);
      let clone: MemoryFileSystem | null = null;
      const ledger: Ledger = { appended: new Map(), promised: 0, trimmedBefore: 0 };
      const atCrash = { ...ledger };
      const disk = new FaultyFileSystem(memory, (operation) => {
        if (operation.number === crashAt) {
          clone = memory.crashClone(seed);
          atCrash.promised = ledger.promised;
          return { kind: 'crash' };
        }
        return null;
      });
      const write = async (): Promise<void> => {
        const journal = await open(disk, seed);
        await writeSome(await journal.openShard('s'), random, ledger);
      };
      await write().catch(ignoreFailure);
      atCrash.trimmedBefore = ledger.trimmedBefore;
      if (clone === null) await checkRecovered(memory.crashClone(seed), ledger, seed);
      else await checkRecovered(clone, atCrash, seed);
    }
  });

  test('a crash during recovery is recovered from', async () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const random = new SeededRandom(seed);
      const memory = new MemoryFileSystem();
      const ledger: Ledger = { appended: new Map(), promised: 0, trimmedBefore: 0 };
      const journal = await open(memory, seed);
      await writeSome(await journal.openShard('s'), random, ledger);
      const first = memory.crashClone(seed);
      const crashAt = random.below(25);
      let second: MemoryFileSystem | null = null;
      const disk = new FaultyFileSystem(first, (operation) => {
        if (operation.number !== crashAt) return null;
        second = first.crashClone(seed + 1000);
        return { kind: 'crash' };
      });
      const recover = async (): Promise<void> => {
        await (await open(disk, seed)).openShard('s');
      };
      await recover().catch(ignoreFailure);
      await checkRecovered(second ?? first.crashClone(seed), ledger, seed);
    }
  });
});

function ignoreFailure(error: unknown): void {
  const isExpected =
    error instanceof JournalError || (error instanceof Error && error.message.startsWith('EIO'));
  if (!isExpected) throw error;
}
