/** Joins what is said in one turn of the event loop into few messages, and waits for a slow reader. */
import type { Timers } from '@robustmq/environment';

/** How a batch is sent. */
export interface BatchSink {
  /** @returns false when no more may be sent until {@link OutgoingBatches.drained} */
  write(batch: Uint8Array): boolean;
}

/** A batch is sent when it has as much; a larger part travels alone. */
const BATCH_BYTES = 256 * 1024;

/** Parts, in order. Not bounded by itself: whoever adds looks at `unsentBytes` first. */
export class OutgoingBatches {
  /** Of the parts that wait here. */
  unsentBytes = 0;
  readonly #sink: BatchSink;
  readonly #timers: Timers;
  #parts: Uint8Array[] = [];
  #blocked = false;
  #scheduled = false;

  constructor(sink: BatchSink, timers: Timers) {
    this.#sink = sink;
    this.#timers = timers;
  }

  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.unsentBytes += part.length;
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    this.#timers.soon(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** The sink takes more again. */
  drained(): void {
    this.#blocked = false;
    this.flush();
  }

  /** Sends what waits, unless the sink is behind. */
  flush(): void {
    let next = 0;
    while (next < this.#parts.length && !this.#blocked) {
      const first = next;
      let bytes = 0;
      while (next < this.#parts.length) {
        const size = (this.#parts[next] as Uint8Array).length;
        if (next > first && bytes + size > BATCH_BYTES) break;
        bytes += size;
        next += 1;
      }
      this.unsentBytes -= bytes;
      this.#blocked = !this.#sink.write(joined(this.#parts, first, next));
    }
    if (next > 0) this.#parts = this.#parts.slice(next);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#parts = [];
    this.unsentBytes = 0;
  }
}

function joined(parts: readonly Uint8Array[], first: number, after: number): Uint8Array {
  return after - first === 1
    ? (parts[first] as Uint8Array)
    : Buffer.concat(parts.slice(first, after));
}
