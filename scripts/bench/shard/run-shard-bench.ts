/** Measures one replica of a shard beside plain writes of the same bytes, its restart and a rare topic. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type CheckedBatch,
  checkBatch,
  type Offset,
  type RecordBatch,
  RecordBatchBuilder,
} from '@robustmq/journal';
import { openShardUnderTest, type ShardUnderTest } from './shard-under-test.ts';

const USAGE = `usage: node scripts/bench-shard.ts [options]     make bench-shard ARGS='--megabytes 512'

  --megabytes N   appended to the shard, and written plainly (1024)
  --record N      bytes of a record's body (1024)
  --batch N       records of one append (64)
  --open N        appends without an answer (64)
  --rounds N      of the comparison with plain writes (3); 0: only fill the shard

Prints: records per second beside plain writes with one flush per as many bytes as are open, the time
and the memory of a restart, and the bytes read for a topic of one record in 100,000.`;

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    record: { type: 'string', default: '1024' },
    batch: { type: 'string', default: '64' },
    open: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

const MIB = 1024 * 1024;
const RARE_EVERY = 100_000;
const TOPICS = 1000;
const COMMON_BATCHES = 64;
const DEADLINE_MS = 60_000;
const recordBytes = Number(values.record);
const batchRecords = Number(values.batch);
const openAppends = Number(values.open);
const totalBytes = Number(values.megabytes) * MIB;
const encoder = new TextEncoder();

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE);
  const cache = new URL('../../../.cache/bench', import.meta.url).pathname;
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'shard-'));
  try {
    let shard = await openShardUnderTest(join(directory, 'node'));
    await shard.replica.committed(DEADLINE_MS);
    const appender = new Appender(shard);
    const roundBytes = totalBytes / Math.max(1, Number(values.rounds));
    if (Number(values.rounds) === 0) await appender.append(totalBytes);
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      const plain = await plainWrites(join(directory, 'plain'), roundBytes);
      const { perSecond, cpuShare } = await appender.append(roundBytes);
      const share = Math.round((100 * perSecond) / plain);
      console.log(
        `round ${round}: ${Math.round(perSecond)} records/s, plain writes ${Math.round(plain)}: ${share} % (${Math.round(cpuShare * 100)} % of a core)`,
      );
    }
    await shard.close();
    shard = await restart(join(directory, 'node'));
    await rareTopic(shard);
    await shard.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns records per second */
async function plainWrites(path: string, byteCount: number): Promise<number> {
  const file = await open(path, 'w');
  const bytes = new Uint8Array(recordBytes * batchRecords * openAppends).fill(1);
  const startedMs = performance.now();
  let written = 0;
  while (written < byteCount) {
    await file.writev([bytes], written);
    await file.datasync();
    written += bytes.length;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await file.close();
  rmSync(path);
  return written / recordBytes / seconds;
}

class Appender {
  readonly #shard: ShardUnderTest;
  readonly #builder = new RecordBatchBuilder();
  readonly #body: Uint8Array;
  readonly #topics: readonly Uint8Array[];
  readonly #common: readonly RecordBatch[];
  readonly #rare: Uint8Array = encoder.encode('rare/one');
  #sequence = 0;
  #records = 0;

  constructor(shard: ShardUnderTest) {
    this.#shard = shard;
    this.#body = new Uint8Array(recordBytes).fill(7);
    this.#topics = Array.from({ length: TOPICS }, (_, at) =>
      encoder.encode(`plant/7/sensor/${at}`),
    );
    this.#common = Array.from({ length: COMMON_BATCHES }, (_, at) =>
      this.#batch(this.#topics[at % TOPICS] as Uint8Array, at),
    );
  }

  async append(byteCount: number): Promise<{ perSecond: number; cpuShare: number }> {
    const count = Math.ceil(byteCount / (recordBytes * batchRecords));
    const before = process.cpuUsage();
    const startedMs = performance.now();
    let left = count;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#appendOne();
      }
    };
    await Promise.all(Array.from({ length: openAppends }, one));
    const seconds = (performance.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(before);
    return {
      perSecond: (count * batchRecords) / seconds,
      cpuShare: (user + system) / 1e6 / seconds,
    };
  }

  async #appendOne(): Promise<void> {
    this.#sequence += 1;
    const producer = { id: 1, incarnation: 1 };
    // As a server does, which gets bytes and no more.
    const batch = checkBatch(this.#nextBatch().bytes) as CheckedBatch;
    const append = { producer, sequence: this.#sequence, batch };
    const outcome = await this.#shard.replica.append(append, DEADLINE_MS);
    if (outcome.kind !== 'appended') throw new Error(`an append was ${outcome.kind}`);
  }

  /** A batch is encoded by whoever sees the messages first: the common ones are made once. */
  #nextBatch(): RecordBatch {
    const isRare = this.#records % RARE_EVERY < batchRecords;
    const at = (this.#records / batchRecords) % COMMON_BATCHES;
    this.#records += batchRecords;
    return isRare ? this.#batch(this.#rare, 0) : (this.#common[at] as RecordBatch);
  }

  #batch(first: Uint8Array, number: number): RecordBatch {
    for (let at = 0; at < batchRecords; at += 1) {
      const topic = this.#topics[(number * batchRecords + at) % TOPICS] as Uint8Array;
      const chosen = at === 0 ? first : topic;
      this.#builder.add(1, chosen, 0, chosen.length, this.#body);
    }
    return this.#builder.seal(0 as Offset, 0);
  }
}

async function restart(directory: string): Promise<ShardUnderTest> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const startedMs = performance.now();
  const shard = await openShardUnderTest(directory);
  await shard.replica.committed(DEADLINE_MS);
  const tookMs = Math.round(performance.now() - startedMs);
  const grownMib = Math.round((process.memoryUsage().rss - before) / MIB);
  const { end, bytes, segments } = shard.replica.status;
  console.log(
    `restart: ${tookMs} ms for ${end} records, ${Math.round(bytes / MIB)} MiB in ${segments} segments; ${grownMib} MiB more memory`,
  );
  return shard;
}

async function rareTopic({ replica, stores }: ShardUnderTest): Promise<void> {
  const selector = { kind: 'topics', exact: ['rare/one'], matches: null } as const;
  const startedMs = performance.now();
  const reader = replica.openReader(0 as Offset, selector);
  let found = 0;
  for (;;) {
    const page = await reader.read(1000, MIB);
    if (page.length === 0) break;
    found += page.length;
  }
  const tookMs = Math.round(performance.now() - startedMs);
  const { bytes, bytesRead } = replica.status;
  const read = bytesRead + stores.indexes.bytesRead;
  const share = ((100 * read) / bytes).toFixed(2);
  console.log(
    `rare topic: ${found} records in ${tookMs} ms, ${share} % of the bytes read (log ${bytesRead}, indexes ${stores.indexes.bytesRead})`,
  );
}

await main();
