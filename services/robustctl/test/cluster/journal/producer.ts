import { setTimeout as pause } from 'node:timers/promises';
import { JournalError, type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { bodyOf, keyOf } from './payload.ts';

const DEADLINE_MS = 60_000;
const TICK_MS = 10;
const IN_FLIGHT_MAX = 64;
const TOPIC = Buffer.from('campaign/records');

/** How much one producer appends. */
export interface ProducerOptions {
  readonly id: number;
  readonly shard: SharedShard;
  readonly recordBytes: number;
  readonly appendsPerSecond: number;
}

/** Appends one record after the other, many under way, and keeps what it was told of each. */
export class Producer {
  readonly id: number;
  readonly shard: string;
  /** By key of the record. */
  readonly acknowledged = new Map<number, Offset>();
  /** Told that nothing was written. */
  readonly refused = new Set<number>();
  readonly faults: string[] = [];
  appended = 0;
  unknown = 0;
  gapMsMax = 0;
  lastAtMs = 0;
  highest = -1;
  readonly #options: ProducerOptions;
  readonly #builder = new RecordBatchBuilder();
  readonly #open = new Set<Promise<void>>();
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.id = options.id;
    this.shard = options.shard.name;
  }

  start(): void {
    this.lastAtMs = performance.now();
    this.#running = this.#run();
  }

  /** Waits for every answer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#open);
  }

  async #run(): Promise<void> {
    let allowed = 0;
    let beforeMs = performance.now();
    while (!this.#isOver) {
      const nowMs = performance.now();
      const due = ((nowMs - beforeMs) * this.#options.appendsPerSecond) / 1000;
      allowed = Math.min(allowed + due, IN_FLIGHT_MAX);
      beforeMs = nowMs;
      while (allowed >= 1 && this.#open.size < IN_FLIGHT_MAX) {
        allowed -= 1;
        this.#append();
      }
      await pause(TICK_MS);
    }
  }

  #append(): void {
    const { id, shard, recordBytes } = this.#options;
    const key = keyOf(id, this.appended);
    this.appended += 1;
    this.#builder.add(1, TOPIC, 0, TOPIC.length, bodyOf(key, recordBytes));
    const batch = this.#builder.seal(0 as Offset, Date.now());
    const producer = { id, incarnation: 1 };
    const options = { producer, acknowledgement: 'all-synced', deadlineMs: DEADLINE_MS } as const;
    const one: Promise<void> = shard.append(batch, options).then(
      (offset) => {
        this.#open.delete(one);
        this.#noteAcknowledged(key, offset);
      },
      (error: unknown) => {
        this.#open.delete(one);
        this.#noteFailed(key, error);
      },
    );
    this.#open.add(one);
  }

  #noteAcknowledged(key: number, offset: Offset): void {
    const nowMs = performance.now();
    this.gapMsMax = Math.max(this.gapMsMax, nowMs - this.lastAtMs);
    this.lastAtMs = nowMs;
    this.highest = Math.max(this.highest, offset);
    this.acknowledged.set(key, offset);
  }

  #noteFailed(key: number, error: unknown): void {
    const code = error instanceof JournalError ? error.fault.code : String(error);
    if (code === 'JOURNAL_FULL') this.refused.add(key);
    else this.unknown += 1;
    if (code !== 'JOURNAL_FULL' && code !== 'JOURNAL_UNAVAILABLE') {
      this.faults.push(`producer ${this.id}: ${String(error)}`);
    }
  }
}
