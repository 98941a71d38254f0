import { sampleBatch } from '@robustmq/journal-conformance';
import {
  type AppendAcknowledgement,
  JournalError,
  type Offset,
  type SharedJournal,
  type SharedShard,
} from '@robustmq/journal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryGroup } from './testing/memory-group.ts';
import { ServedJournal } from './testing/served-journal.ts';

const START = 0 as Offset;
const PRODUCER = { id: 7, incarnation: 1 };

let group: MemoryGroup;
let served: ServedJournal;
let journal: SharedJournal;
let shard: SharedShard;

beforeEach(async () => {
  group = await MemoryGroup.open(1);
  served = new ServedJournal((node, name) =>
    name === 'test/shard' ? group.replicaOn(node) : null,
  );
  for (const node of [1, 2, 3]) await served.serve(node);
  journal = served.connect();
  shard = await journal.openShard('shard');
});

afterEach(async () => {
  await served.close();
  expect(served.mistakes).toEqual([]);
});

function append(
  body: string,
  deadlineMs = 20_000,
  acknowledgement: AppendAcknowledgement = 'all-synced',
): Promise<Offset> {
  const batch = sampleBatch([{ kind: 1, topic: 't', body }], START, 1);
  return shard.append(batch, { producer: PRODUCER, acknowledgement, deadlineMs });
}

async function written(): Promise<string[]> {
  const records = await shard.openReader(START, { kind: 'everything' }).read(1000, 1_000_000);
  return records.map(({ body }) => new TextDecoder().decode(body));
}

async function faultCode(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof JournalError ? error.fault.code : String(error);
}

describe('appends of one producer', () => {
  test('get their offsets in the order of the calls', async () => {
    const offsets = await Promise.all(Array.from({ length: 300 }, (_, i) => append(`${i}`)));
    expect(offsets).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(await written()).toEqual(offsets.map(String));
  });

  test('are written once when answers are lost', async () => {
    group.faults.push(null, 'answer lost', null, 'answer lost', 'answer lost');
    const offsets = await Promise.all(['a', 'b', 'c', 'd'].map((body) => append(body)));
    expect(offsets).toEqual([0, 1, 2, 3]);
    expect(await written()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('keep their order when one in the middle is refused for a moment', async () => {
    group.faults.push(null, 'refused', null, null);
    const offsets = await Promise.all(['a', 'b', 'c', 'd'].map((body) => append(body)));
    expect(offsets).toEqual([0, 1, 2, 3]);
    expect(await written()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('follow the leader in the middle of a stream of them', async () => {
    const offsets: Promise<Offset>[] = [];
    for (let i = 0; i < 200; i += 1) {
      offsets.push(append(`${i}`));
      if (i % 20 === 19) {
        await offsets[i - 10];
        group.lead(((i % 3) + 1) as 1 | 2 | 3);
      }
    }
    expect(await Promise.all(offsets)).toEqual(offsets.map((_, i) => i));
    expect(await written()).toEqual(offsets.map((_, i) => String(i)));
  });

  test('go on at another node when the leader dies with appends in flight', async () => {
    group.faults.push(null, 'held', 'held');
    const first = ['a', 'b', 'c'].map((body) => append(body));
    await first[0];
    await served.kill(1);
    group.lead(2);
    group.release();
    const later = ['d', 'e'].map((body) => append(body));
    expect(await Promise.all([...first, ...later])).toEqual([0, 1, 2, 3, 4]);
    expect(await written()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('go on at another node when the leader is silent', async () => {
    const impatient = served.connect({ attemptMs: 100 });
    shard = await impatient.openShard('shard');
    group.faults.push('held', 'held');
    const appends = ['a', 'b'].map((body) => append(body));
    await until(() => group.arrived.get(1) === 2);
    group.lead(3);
    expect(await Promise.all(appends)).toEqual([0, 1]);
    group.release();
    expect(await written()).toEqual(['a', 'b']);
  });
});

describe('appends acknowledged before a majority has them', () => {
  test('may be lost with the leader, and those behind them are written once', async () => {
    group.faults.push(null, 'lost', 'lost', null, 'answer lost');
    await append('a', 20_000, 'leader');
    await append('b', 20_000, 'memory');
    await append('c', 20_000, 'leader');
    expect(await append('d')).toBe(1);
    expect(await append('e')).toBe(2);
    expect(await append('f')).toBe(3);
    expect(await written()).toEqual(['a', 'd', 'e', 'f']);
  });

  test('do not hide that one is missing that was promised', async () => {
    group.faults.push(null, 'lost');
    await append('a');
    await append('b');
    expect(await faultCode(append('c', 20_000, 'memory'))).toBe('JOURNAL_FENCED');
  });

  test('keep their places beside others in flight when the leader changes', async () => {
    group.faults.push(null, 'lost', 'answer lost');
    await append('a');
    const early = append('b', 20_000, 'memory');
    const later = ['c', 'd', 'e'].map((body) => append(body));
    await early;
    group.lead(2);
    await Promise.all(later);
    group.faults.push('lost');
    await append('f', 20_000, 'leader');
    group.lead(3);
    expect(await append('g')).toBe(4);
    expect(await written()).toEqual(['a', 'c', 'd', 'e', 'g']);
  });
});

describe('an append whose deadline passes', () => {
  test('names the servers tried and the last reason', async () => {
    const quick = served.connect({ pauseFirstMs: 1, pauseLongestMs: 2 });
    shard = await quick.openShard('shard');
    group.lead(null);
    const error = await append('a', 500).catch((reason: unknown) => reason);
    const { fault } = error as JournalError;
    expect(fault.code).toBe('JOURNAL_UNAVAILABLE');
    for (const address of served.addresses) expect(JSON.stringify(fault)).toContain(address);
    expect(JSON.stringify(fault)).toContain('does not lead');
  });

  test('takes those behind it along, and is written before later ones', async () => {
    group.faults.push('held');
    const late = append('late', 100);
    const behind = append('behind');
    expect(await faultCode(late)).toBe('JOURNAL_UNAVAILABLE');
    expect(await faultCode(behind)).toBe('JOURNAL_UNAVAILABLE');
    const next = append('next');
    group.release();
    // The one behind came to the shard before the one that was held, and was surely not written.
    expect(await next).toBe(1);
    expect(await written()).toEqual(['late', 'next']);
  });

  test('is not written later when no server has seen it', async () => {
    for (const node of [1, 2, 3]) await served.kill(node);
    expect(await faultCode(shard.committed(150))).toBe('JOURNAL_UNAVAILABLE');
    expect(await faultCode(append('lost', 150))).toBe('JOURNAL_UNAVAILABLE');
    for (const node of [1, 2, 3]) await served.serve(node);
    expect(await append('next')).toBe(0);
    expect(await written()).toEqual(['next']);
  });

  test('gives the caller its bytes back', async () => {
    group.faults.push('held');
    const batch = sampleBatch([{ kind: 1, topic: 't', body: 'kept' }], START, 1);
    const options = { producer: PRODUCER, acknowledgement: 'all-synced', deadlineMs: 100 } as const;
    expect(await faultCode(shard.append(batch, options))).toBe('JOURNAL_UNAVAILABLE');
    batch.bytes.fill(0);
    group.lead(2);
    expect(await append('next')).toBe(1);
    expect(await written()).toEqual(['kept', 'next']);
  });
});

describe('a producer', () => {
  test('that is fenced hears so, with all that was behind', async () => {
    await append('a');
    await shard.fence(PRODUCER);
    const codes = await Promise.all(['b', 'c'].map((body) => faultCode(append(body))));
    expect(codes).toEqual(['JOURNAL_FENCED', 'JOURNAL_FENCED']);
    expect(await faultCode(append('d'))).toBe('JOURNAL_FENCED');
    expect(await written()).toEqual(['a']);
  });

  test('begins anew in its next incarnation', async () => {
    await append('a');
    const batch = sampleBatch([{ kind: 1, topic: 't', body: 'b' }], START, 1);
    const producer = { id: PRODUCER.id, incarnation: 2 };
    const options = { producer, acknowledgement: 'all-synced', deadlineMs: 20_000 } as const;
    expect(await shard.append(batch, options)).toBe(1);
    expect(await faultCode(append('c'))).toBe('JOURNAL_FENCED');
    expect(await written()).toEqual(['a', 'b']);
  });

  test('does not go back to a life before, where its numbers would begin again', async () => {
    await append('a');
    group.faults.push('full');
    const batch = sampleBatch([{ kind: 1, topic: 't', body: 'b' }], START, 1);
    const next = { id: PRODUCER.id, incarnation: 2 };
    const options = { producer: next, acknowledgement: 'all-synced', deadlineMs: 20_000 } as const;
    expect(await faultCode(shard.append(batch, options))).toBe('JOURNAL_FULL');
    expect(await faultCode(append('c'))).toBe('JOURNAL_FENCED');
    expect(await written()).toEqual(['a']);
  });

  test('that the shard has forgotten begins anew by itself', async () => {
    await Promise.all(['a', 'b'].map((body) => append(body)));
    group.forgetProducers();
    expect(await Promise.all(['c', 'd'].map((body) => append(body)))).toEqual([2, 3]);
    expect(await written()).toEqual(['a', 'b', 'c', 'd']);
  });
});

/** Looks again in every turn of the event loop. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
