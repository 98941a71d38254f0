/** A full disk, a disk that fails, and a disk that lies. */
import {
  FaultyFileSystem,
  ManualClock,
  MemoryFileSystem,
  SeededRandom,
} from '@robustmq/environment';
import type { FileFault, FileOperation, FileSystem } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { Journal, JournalFault, JournalShard, Offset } from '@robustmq/journal';
import { appendSamples, readToEnd, textOf } from '@robustmq/journal-conformance';
import { describe, expect, test } from 'vitest';
import { openSegmentJournal } from './segment-journal.ts';

const EVERYTHING = { kind: 'everything' } as const;
const START = 0 as Offset;
const LOG = 'data/shards/s/00000000000000000000.log';

function open(fileSystem: FileSystem, segmentBytesMax: number): Promise<Journal> {
  const environment = { fileSystem, clock: new ManualClock(0), random: new SeededRandom(7) };
  return openSegmentJournal({ directory: 'data', segmentBytesMax, cacheBytesMax: 0 }, environment);
}

async function faultOf(promise: Promise<unknown>): Promise<JournalFault | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof JournalError) return error.fault;
    throw error;
  }
}

/** A disk whose next operation of a kind fails as told. */
function faultyDisk(): { disk: FileSystem; memory: MemoryFileSystem; plan: FaultPlan } {
  const memory = new MemoryFileSystem();
  const plan: FaultPlan = { kind: null, fault: { kind: 'fail', code: 'EIO' } };
  const disk = new FaultyFileSystem(memory, (operation) =>
    operation.kind === plan.kind ? plan.fault : null,
  );
  return { disk, memory, plan };
}

interface FaultPlan {
  kind: FileOperation['kind'] | null;
  fault: FileFault;
}

async function readAll(shard: JournalShard): Promise<string[]> {
  return (await readToEnd(shard.openReader(shard.oldest, EVERYTHING), 10)).map(textOf);
}

describe('a full disk', () => {
  test('fails all appends in flight, keeps the file whole, and accepts again', async () => {
    const { disk, plan } = faultyDisk();
    const journal = await open(disk, 10_000);
    const shard = await journal.openShard('s');
    await appendSamples(shard, ['kept'], 'sync');
    plan.kind = 'write';
    plan.fault = { kind: 'shortWrite', byteLength: 90, code: 'ENOSPC' };
    const inFlight = ['a', 'b', 'c'].map((topic) => appendSamples(shard, [topic], 'sync'));
    expect(shard.next).toBe(4);
    const faults = await Promise.all(inFlight.map(faultOf));
    for (const fault of faults)
      expect(fault).toMatchObject({ code: 'JOURNAL_FULL', limit: 'disk' });
    expect([shard.next, shard.committed]).toEqual([1, 1]);
    plan.kind = null;
    expect(await appendSamples(shard, ['again'], 'sync')).toBe(1);
    expect(await readAll(shard)).toEqual(['0 kept body 0', '1 again body 1']);
    await journal.close();
  });

  test('when a segment cannot be created fails the append only', async () => {
    const { disk, plan } = faultyDisk();
    const journal = await open(disk, 50);
    const shard = await journal.openShard('s');
    await appendSamples(shard, ['kept'], 'sync');
    plan.kind = 'open';
    plan.fault = { kind: 'fail', code: 'ENOSPC' };
    const fault = await faultOf(appendSamples(shard, ['refused'], 'sync'));
    expect(fault).toMatchObject({ code: 'JOURNAL_FULL', limit: 'disk' });
    plan.kind = null;
    expect(await appendSamples(shard, ['again'], 'sync')).toBe(1);
    expect(await readAll(shard)).toEqual(['0 kept body 0', '1 again body 1']);
    await journal.close();
  });

  test('of a real size refuses until records are trimmed', async () => {
    const memory = new MemoryFileSystem(20_000);
    const journal = await open(memory, 4000);
    const shard = await journal.openShard('s');
    let fault: JournalFault | null = null;
    while (fault === null) fault = await faultOf(appendSamples(shard, ['x'.repeat(700)], 'sync'));
    expect(fault).toMatchObject({ code: 'JOURNAL_FULL', limit: 'disk' });
    const count = shard.next;
    expect(await readAll(shard)).toHaveLength(count);
    await shard.trimBefore((count - 3) as Offset);
    expect(await appendSamples(shard, ['again'], 'sync')).toBe(count);
    await journal.close();
    const recovered = await (await open(memory, 4000)).openShard('s');
    expect(recovered.next).toBe(count + 1);
    expect(recovered.recovery.quarantined).toEqual([]);
  });

  test('is foreseen when free space falls below the minimum', async () => {
    const fileSystem = new MemoryFileSystem(100_000);
    const clock = new ManualClock(0);
    const environment = { fileSystem, clock, random: new SeededRandom(7) };
    const options = { directory: 'data', segmentBytesMax: 4000, diskFreeBytesMin: 50_000 };
    const journal = await openSegmentJournal(options, environment);
    const shard = await journal.openShard('s');
    let fault: JournalFault | null = null;
    while (fault === null) fault = await faultOf(appendSamples(shard, ['x'.repeat(700)], 'sync'));
    expect(fault).toMatchObject({ code: 'JOURNAL_FULL', limit: 'configured' });
    // The clock stands still, so the index files of the tiny segments are not counted yet.
    expect(await fileSystem.freeBytes('data')).toBeGreaterThan(30_000);
    const count = shard.next;
    await shard.trimBefore((count - 3) as Offset);
    clock.advance(1000);
    expect(await appendSamples(shard, ['again'], 'sync')).toBe(count);
    await journal.close();
  });
});

describe('a disk that fails', () => {
  for (const kind of ['write', 'syncData'] as const) {
    test(`on ${kind}: appends are refused until the shard is opened again`, async () => {
      const { disk, plan } = faultyDisk();
      const journal = await open(disk, 10_000);
      const shard = await journal.openShard('s');
      await appendSamples(shard, ['kept'], 'sync');
      plan.kind = kind;
      const fault = await faultOf(appendSamples(shard, ['doubtful'], 'sync'));
      expect(fault).toMatchObject({ code: 'JOURNAL_IO_FAILED', operation: 'append' });
      plan.kind = null;
      const refused = await faultOf(appendSamples(shard, ['refused'], 'sync'));
      expect(refused).toMatchObject({ code: 'JOURNAL_IO_FAILED' });
      expect(await readAll(shard)).toEqual(['0 kept body 0']);
      const again = await journal.openShard('s');
      expect(again).not.toBe(shard);
      expect((await readAll(again))[0]).toBe('0 kept body 0');
      const next = again.next;
      expect(await appendSamples(again, ['later'], 'sync')).toBe(next);
      await journal.close();
    });
  }

  test('in reading is an error of the read, and a later read succeeds', async () => {
    const { disk, plan } = faultyDisk();
    const journal = await open(disk, 10_000);
    const shard = await journal.openShard('s');
    await appendSamples(shard, ['kept'], 'sync');
    plan.kind = 'read';
    const reader = shard.openReader(START, EVERYTHING);
    expect(await faultOf(reader.read(1, 1))).toMatchObject({
      code: 'JOURNAL_IO_FAILED',
      operation: 'read',
    });
    plan.kind = null;
    expect(await reader.read(1, 1)).toHaveLength(1);
    await journal.close();
  });
});

describe('a disk that lies', () => {
  test('damage in the middle of the active segment is reported and read over on request', async () => {
    const memory = new MemoryFileSystem();
    let journal = await open(memory, 100_000);
    let shard = await journal.openShard('s');
    for (let i = 0; i < 10; i += 1) await appendSamples(shard, ['t', 'u'], 'sync');
    await journal.close();
    const batchBytes = ((memory.contentOf(LOG)?.length ?? 0) - 32) / 10;
    memory.flipBits(LOG, 32 + Math.floor(batchBytes * 4.5), 0x10);
    journal = await open(memory, 100_000);
    shard = await journal.openShard('s');
    expect(shard.next).toBe(20);
    expect(shard.recovery.quarantined).toMatchObject([{ first: 8, after: 10 }]);
    expect(memory.contentOf('data/shards/s/quarantine/00000000000000000000.log')).not.toBeNull();
    for (const selector of [EVERYTHING, { kind: 'topics' as const, exact: ['u'], matches: null }]) {
      const reader = shard.openReader(START, selector);
      const before = await reader.read(100, 10_000);
      expect(before.at(-1)?.offset).toBeLessThan(8);
      const fault = await faultOf(reader.read(100, 10_000));
      expect(fault).toMatchObject({ code: 'JOURNAL_RECORD_CORRUPT', first: 8, after: 10 });
      const rest = await readToEnd(shard.openReader(10 as Offset, selector), 100);
      expect(rest.at(-1)?.offset).toBe(19);
    }
    expect(await appendSamples(shard, ['on'], 'sync')).toBe(20);
    await journal.close();
    shard = await (await open(memory, 100_000)).openShard('s');
    expect(shard.next).toBe(21);
    expect(shard.recovery.quarantined).toEqual([]);
  });

  test('damage in the last batch is told after an orderly close, and its offsets are not reused', async () => {
    const memory = new MemoryFileSystem();
    let journal = await open(memory, 100_000);
    let shard = await journal.openShard('s');
    for (let i = 0; i < 3; i += 1) await appendSamples(shard, ['t', 'u'], 'sync');
    await journal.close();
    memory.flipBits(LOG, (memory.contentOf(LOG)?.length ?? 0) - 1, 1);
    for (let round = 0; round < 2; round += 1) {
      journal = await open(memory, 100_000);
      shard = await journal.openShard('s');
      expect(shard.next).toBe(6 + round);
      const reader = shard.openReader(START, EVERYTHING);
      expect(await reader.read(100, 10_000)).toHaveLength(4);
      const fault = await faultOf(reader.read(100, 10_000));
      expect(fault).toMatchObject({ code: 'JOURNAL_RECORD_CORRUPT', first: 4, after: 6 });
      expect(shard.recovery.quarantined).toHaveLength(1 - round);
      await appendSamples(shard, ['on'], 'sync');
      await journal.close();
    }
  });

  test('one flipped bit anywhere is never served', async () => {
    const memory = new MemoryFileSystem();
    const journal = await open(memory, 600);
    const shard = await journal.openShard('s');
    const written = new Map<number, string>();
    for (let i = 0; i < 20; i += 1) {
      const first = await appendSamples(shard, [`t/${i % 3}`, 'u'], 'sync');
      written.set(first, `${first} t/${i % 3} body ${first}`);
      written.set(first + 1, `${first + 1} u body ${first + 1}`);
    }
    await journal.close();
    const files = (await memory.list('data/shards/s')).map((name) => `data/shards/s/${name}`);
    const random = new SeededRandom(99);
    for (let round = 0; round < 600; round += 1) {
      const damaged = memory.crashClone(0);
      const path = files[round % files.length] as string;
      const position = random.below(damaged.contentOf(path)?.length ?? 1);
      damaged.flipBits(path, position, 1 << random.below(8));
      await checkNeverWrong(damaged, written, `${path} at ${position}`);
    }
  });

  test('an index file that is missing or torn is rebuilt', async () => {
    const memory = new MemoryFileSystem();
    let journal = await open(memory, 600);
    let shard = await journal.openShard('s');
    for (let i = 0; i < 20; i += 1) await appendSamples(shard, ['t', 'u'], 'sync');
    await journal.close();
    for (const name of await memory.list('data/shards/s')) {
      if (name.endsWith('.index')) await memory.unlink(`data/shards/s/${name}`);
    }
    journal = await open(memory, 600);
    shard = await journal.openShard('s');
    const selector = { kind: 'topics' as const, exact: ['u'], matches: null };
    expect(await readToEnd(shard.openReader(START, selector), 5)).toHaveLength(20);
    await journal.close();
  });
});

describe('a data directory', () => {
  test('in use is refused with a sentence', async () => {
    const memory = new MemoryFileSystem();
    const journal = await open(memory, 600);
    const fault = await faultOf(open(memory, 600));
    expect(fault).toMatchObject({ code: 'JOURNAL_IO_FAILED', operation: 'open' });
    expect(fault).toHaveProperty('detail', expect.stringContaining('in use'));
    await journal.close();
    await (await open(memory, 600)).close();
  });

  test('of an unknown format is refused with a sentence', async () => {
    const memory = new MemoryFileSystem();
    await (await open(memory, 600)).close();
    memory.flipBits('data/FORMAT', 17, 0x0b);
    const fault = await faultOf(open(memory, 600));
    expect(fault).toHaveProperty('detail', expect.stringContaining('another data directory'));
  });
});

/** Every record that can be read is as written, and damage is told by a fault. */
async function checkNeverWrong(
  disk: MemoryFileSystem,
  written: ReadonlyMap<number, string>,
  label: string,
): Promise<void> {
  const journal = await open(disk, 600);
  const shard = await journal.openShard('s');
  const selectors = [EVERYTHING, { kind: 'topics' as const, exact: ['u'], matches: null }];
  for (const selector of selectors) {
    let reader = shard.openReader(START, selector);
    const seen: number[] = [];
    let lost = 0;
    for (;;) {
      try {
        const page = await reader.read(7, 10_000);
        if (page.length === 0) break;
        for (const record of page) {
          expect(textOf(record), label).toBe(written.get(record.offset));
          seen.push(record.offset);
        }
      } catch (error) {
        if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_RECORD_CORRUPT') {
          throw error;
        }
        lost += error.fault.after - error.fault.first;
        reader = shard.openReader(error.fault.after, selector);
      }
    }
    const wanted = [...written].filter(
      ([, text]) => selector === EVERYTHING || text.includes(' u '),
    );
    // The journal was closed in order, so every record is either served or told to be lost.
    expect(shard.next, label).toBeGreaterThanOrEqual(label.includes('CLOSED') ? 0 : written.size);
    expect(seen.length + lost, label).toBeGreaterThanOrEqual(wanted.length);
  }
  await journal.close();
}
