import { setTimeout as pause } from 'node:timers/promises';
import {
  JournalError,
  type JournalRecord,
  type Offset,
  type SharedShard,
  type ShardTail,
} from '@robustmq/journal';
import { keyIn } from './payload.ts';

const RECORDS_MAX = 1000;
const BYTES_MAX = 1024 * 1024;
const START = 0 as Offset;
const EVERYTHING = { kind: 'everything' } as const;
const POLL_MS = 20;
const EXAMPLES_MAX = 5;

/** The records of a shard in the order in which they came, by key. */
export class SeenRecords {
  readonly keys: number[] = [];
  readonly faults: string[] = [];
  damaged = 0;
  outOfPlace = 0;

  take(records: readonly JournalRecord[], reader: string): void {
    for (const { offset, body } of records) {
      const key = keyIn(body);
      if (key === null) this.damaged += 1;
      if (offset !== this.keys.length) {
        this.outOfPlace += 1;
        if (this.faults.length < EXAMPLES_MAX) {
          this.faults.push(`${reader}: offset ${offset} came as number ${this.keys.length}`);
        }
      }
      this.keys.push(key ?? -1);
    }
  }
}

/** A tail from the beginning of a shard, for as long as there is something to read. */
export class FollowedShard {
  readonly seen = new SeenRecords();
  readonly shard: string;
  readonly #tail: ShardTail;
  readonly #name: string;
  #running: Promise<void> = Promise.resolve();

  constructor(shard: SharedShard, name: string) {
    this.shard = shard.name;
    this.#name = name;
    this.#tail = shard.openTail(START, EVERYTHING);
  }

  start(): void {
    this.#running = this.#follow();
  }

  /** Waits until everything below `end` came. @returns whether it did in time */
  async end(end: Offset, limitMs: number): Promise<boolean> {
    const untilMs = performance.now() + limitMs;
    while (this.#tail.position < end && performance.now() < untilMs) await pause(POLL_MS);
    const isThere = this.#tail.position >= end;
    this.#tail.close();
    await this.#running;
    return isThere;
  }

  async #follow(): Promise<void> {
    for (;;) {
      try {
        this.seen.take(await this.#tail.next(RECORDS_MAX, BYTES_MAX), this.#name);
      } catch (error) {
        const isClosed = error instanceof JournalError && error.fault.code === 'JOURNAL_CLOSED';
        if (!isClosed) this.seen.faults.push(`${this.#name}: ${String(error)}`);
        return;
      }
    }
  }
}

/** Reads a shard once, from its beginning to `end`. */
export async function readWhole(shard: SharedShard, end: Offset): Promise<SeenRecords> {
  const seen = new SeenRecords();
  const reader = shard.openReader(START, EVERYTHING);
  while (reader.position < end) {
    seen.take(await reader.read(RECORDS_MAX, BYTES_MAX), `reader of ${shard.name}`);
  }
  return seen;
}
