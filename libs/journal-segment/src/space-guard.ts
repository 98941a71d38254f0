/** Refuses appends before the disk or the configured size is full, so that the rest of the machine lives. */
import type { Clock, FileSystem } from '@robustmq/environment';

/** The free space is asked for again after this time; in between our own writes are subtracted. */
const REFRESH_MS = 1000;

export class SpaceGuard {
  /** Bytes of all segments of all shards. */
  journalBytes = 0;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #refusal: (byteCount: number) => string | null;
  readonly #journalBytesMax: number;
  readonly #diskFreeBytesMin: number;
  #freeBytes = 0;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    environment: {
      readonly fileSystem: FileSystem;
      readonly clock: Clock;
      readonly refusal?: (byteCount: number) => string | null;
    },
    directory: string,
    limits: { readonly journalBytesMax: number; readonly diskFreeBytesMin: number },
  ) {
    this.#fileSystem = environment.fileSystem;
    this.#clock = environment.clock;
    this.#directory = directory;
    this.#refusal = environment.refusal ?? (() => null);
    this.#journalBytesMax = limits.journalBytesMax;
    this.#diskFreeBytesMin = limits.diskFreeBytesMin;
  }

  /** Why `byteCount` more bytes are refused, or null when they are welcome. */
  async refusal(byteCount: number): Promise<string | null> {
    if (this.#journalBytesMax > 0 && this.journalBytes + byteCount > this.#journalBytesMax) {
      return `${byteCount} more bytes exceed the ${this.#journalBytesMax} allowed for the journal`;
    }
    const further = this.#refusal(byteCount);
    if (further !== null) return further;
    if (this.#diskFreeBytesMin === 0) return null;
    if (this.#isStale()) await this.#refresh();
    if (this.#freeBytes - byteCount >= this.#diskFreeBytesMin) {
      this.#freeBytes -= byteCount;
      return null;
    }
    return `the disk has ${this.#freeBytes} bytes left, ${this.#diskFreeBytesMin} are to stay free`;
  }

  #isStale(): boolean {
    return this.#clock.monotonicMs() - this.#refreshedAtMs >= REFRESH_MS;
  }

  async #refresh(): Promise<void> {
    this.#freeBytes = await this.#fileSystem.freeBytes(this.#directory);
    this.#refreshedAtMs = this.#clock.monotonicMs();
  }
}
