import type { Timers } from '@robustmq/environment';
import { JournalError, type KeyedShard, type KeyedWrite } from '@robustmq/journal';
import { waitMs } from '../broker-environment.ts';

const WRITE_DEADLINE_MS = 10_000;
const RETRY_MS = 200;
/** So that one write stays short. */
const WRITES_MAX = 512;
const BYTES_MAX = 1024 * 1024;

/** What stands under one key, asked for in the moment in which it is written. */
export interface KeyedSource {
  readonly fence: number;
  /** null: the key is removed; undefined: nothing is to be written any more. */
  value(): Uint8Array | null | undefined;
  /** A higher fence stands there: the key is somebody else's. */
  refused(): void;
}

/**
 * Writes one keyed shard: one write at a time, and what changes meanwhile is in the next one as it is by
 * then. So a repeated write never puts an older value over a newer one of this broker.
 *
 * A write that fails is repeated until it is taken or the writer is closed.
 */
export class TableWriter {
  readonly table: KeyedShard;
  readonly #timers: Timers;
  readonly #failed: (error: unknown) => void;
  #pending = new Map<string, KeyedSource>();
  #waiting: (() => void)[] = [];
  #writing = false;
  #closed = false;
  /** The shard takes no more: writes are repeated all the same. */
  full = false;

  /** @param failed  told of a fault of ours */
  constructor(table: KeyedShard, timers: Timers, failed: (error: unknown) => void) {
    this.table = table;
    this.#timers = timers;
    this.#failed = failed;
  }

  get isIdle(): boolean {
    return !this.#writing && this.#pending.size === 0 && this.#waiting.length === 0;
  }

  /**
   * Replaces what waits under the key, unless that has a higher fence: what an owner before has left to say
   * would be refused. Nothing is written before `start`.
   */
  put(key: string, source: KeyedSource): void {
    const waiting = this.#pending.get(key);
    if (waiting === undefined || waiting.fence <= source.fence) this.#pending.set(key, source);
  }

  /** Runs `then` when everything put so far is stored or was refused. */
  afterWrite(then: () => void): void {
    this.#waiting.push(then);
  }

  start(): void {
    if (this.#writing || this.#closed) return;
    if (this.#pending.size === 0 && this.#waiting.length === 0) return;
    this.#writing = true;
    this.#writeAll()
      .catch((error: unknown) => {
        if (!this.#closed) this.#failed(error);
      })
      .finally(() => {
        this.#writing = false;
        this.start();
      });
  }

  close(): void {
    this.#closed = true;
    this.#pending.clear();
    this.#waiting.length = 0;
  }

  async #writeAll(): Promise<void> {
    const pending = this.#pending;
    const waiting = this.#waiting;
    this.#pending = new Map();
    this.#waiting = [];
    let sources: KeyedSource[] = [];
    let writes: KeyedWrite[] = [];
    let bytes = 0;
    for (const [key, source] of pending) {
      const value = source.value();
      if (value === undefined) continue;
      sources.push(source);
      writes.push({ key, fence: source.fence, value });
      bytes += key.length + (value?.length ?? 0);
      if (writes.length < WRITES_MAX && bytes < BYTES_MAX) continue;
      await this.#write(writes, sources);
      sources = [];
      writes = [];
      bytes = 0;
    }
    if (writes.length > 0) await this.#write(writes, sources);
    if (this.#closed) return;
    for (const then of waiting) then();
  }

  async #write(writes: readonly KeyedWrite[], sources: readonly KeyedSource[]): Promise<void> {
    const taken = await this.#untilTaken(writes);
    if (this.#closed) return;
    for (const [index, source] of sources.entries()) {
      if (taken[index] === false) source.refused();
    }
  }

  async #untilTaken(writes: readonly KeyedWrite[]): Promise<readonly boolean[]> {
    for (;;) {
      try {
        const taken = await this.table.write(writes, WRITE_DEADLINE_MS);
        this.full = false;
        return taken;
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        if (error.fault.code === 'JOURNAL_CLOSED') this.close();
        if (this.#closed) return [];
        this.full = error.fault.code === 'JOURNAL_FULL';
        await waitMs(this.#timers, RETRY_MS);
      }
    }
  }
}
