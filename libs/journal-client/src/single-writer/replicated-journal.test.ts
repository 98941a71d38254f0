import { appendSamples, describeJournal, sampleBatch } from '@robustmq/journal-conformance';
import { type Journal, JournalError, type Offset } from '@robustmq/journal';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryGroup } from '../testing/memory-group.ts';
import { ServedJournal } from '../testing/served-journal.ts';
import { openReplicatedJournal } from './replicated-journal.ts';

const START = 0 as Offset;

/** Shards on two nodes, made and deleted as a registry would say. */
class ServedShards {
  readonly groups = new Map<string, MemoryGroup>();
  readonly #served = new ServedJournal(
    (node, shard) => this.groups.get(shard.slice('test/'.length))?.replicaOn(node) ?? null,
  );
  #lives = 0;
  #incarnation = 0;

  static async open(): Promise<ServedShards> {
    const shards = new ServedShards();
    for (const node of [1, 2]) await shards.#served.serve(node);
    return shards;
  }

  /** The journal as one more life of its writer opens it. */
  openJournal(segmentBytesMax: number, deadlineMs = 20_000): Journal {
    return openReplicatedJournal({
      shared: this.#served.connect(),
      catalogue: {
        create: async (name) => {
          if (this.groups.has(name)) return;
          const group = await MemoryGroup.open(1);
          this.#lives += 1;
          group.life = this.#lives;
          this.groups.set(name, group);
        },
        list: async () => [...this.groups.keys()].sort(),
        delete: async (name) => void this.groups.delete(name),
      },
      writer: 1,
      takeIncarnation: async () => {
        this.#incarnation += 1;
        return this.#incarnation;
      },
      deadlineMs,
      segmentBytesMax,
    });
  }

  async close(): Promise<void> {
    await this.#served.close();
    expect(this.#served.mistakes).toEqual([]);
  }
}

describe('the journal of one writer', () => {
  let shards: ServedShards;

  beforeEach(async () => {
    shards = await ServedShards.open();
  });

  afterEach(() => shards.close());

  async function faultOf(promise: Promise<unknown>): Promise<string> {
    const error = await promise.catch((reason: unknown) => reason);
    return error instanceof JournalError ? error.fault.code : String(error);
  }

  test('ends the writer before, and goes on where that one ended', async () => {
    const before = await shards.openJournal(1000).openShard('a');
    await appendSamples(before, ['t', 't'], 'sync');
    const after = await shards.openJournal(1000).openShard('a');
    expect(after.next).toBe(2);
    expect(await faultOf(appendSamples(before, ['t'], 'sync'))).toBe('JOURNAL_FENCED');
    expect(await appendSamples(after, ['t'], 'sync')).toBe(2);
    expect(await faultOf(appendSamples(before, ['t'], 'sync'))).toBe('JOURNAL_FENCED');
  });

  test('knows its offsets across changes of the leader', async () => {
    const shard = await shards.openJournal(1000).openShard('a');
    const appends: Promise<Offset>[] = [];
    for (let i = 0; i < 60; i += 1) {
      const expected = shard.next;
      appends.push(appendSamples(shard, ['t', 't'], i % 2 === 0 ? 'sync' : 'async'));
      expect(shard.next).toBe(expected + 2);
      if (i % 20 === 10) {
        await appends[i - 5];
        shards.groups.get('a')?.lead(i % 40 === 10 ? 2 : 1);
      }
    }
    expect(await Promise.all(appends)).toEqual(appends.map((_, i) => 2 * i));
    expect(shard.committed).toBe(120);
  });

  test('gives offsets again that a full disk refused', async () => {
    const shard = await shards.openJournal(1000).openShard('a');
    await appendSamples(shard, ['t'], 'sync');
    shards.groups.get('a')?.faults.push('full');
    const refused = [1, 2, 3].map(() => faultOf(appendSamples(shard, ['t'], 'sync')));
    expect(await Promise.all(refused)).toEqual(['JOURNAL_FULL', 'JOURNAL_FULL', 'JOURNAL_FULL']);
    expect(shard.next).toBe(1);
    expect(await appendSamples(shard, ['t'], 'sync')).toBe(1);
  });

  test('takes no append after one whose outcome is unknown', async () => {
    const shard = await shards.openJournal(1000, 200).openShard('a');
    shards.groups.get('a')?.lead(null);
    const late = shard.append(sampleBatch([{ kind: 1, topic: 't', body: 'b' }], START, 1), 'sync');
    expect(await faultOf(late)).toBe('JOURNAL_IO_FAILED');
    expect(await faultOf(appendSamples(shard, ['t'], 'sync'))).toBe('JOURNAL_IO_FAILED');
  });
});

const suites: ServedShards[] = [];

describeJournal('shards of journal servers with one writer', {
  open: async (segmentBytesMax) => {
    const shards = await ServedShards.open();
    suites.push(shards);
    return shards.openJournal(segmentBytesMax);
  },
  reopen: async () => (suites.at(-1) as ServedShards).openJournal(1000),
  openSuccessor: async () => (suites.at(-1) as ServedShards).openJournal(1000),
});

afterAll(async () => {
  for (const shards of suites.splice(0)) await shards.close();
});
