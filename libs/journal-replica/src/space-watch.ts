/**
 * Knows how much room a disk has, so that appends are refused while there is some left: a Raft
 * group whose log can't be written is over for this process.
 *
 * The free space is asked for once a second; in between, what is written is subtracted.
 */
import type { FileSystem, TimerHandle, Timers } from '@robustmq/environment';

const REFRESH_MS = 1000;

export interface SpaceWatchOptions {
  readonly environment: { readonly fileSystem: FileSystem; readonly timers: Timers };
  /** Anywhere on the disk; must exist. */
  readonly directory: string;
  /** LIMIT: a leader takes appends only while this much stays free; followers take half of it. */
  readonly diskFreeBytesMin: number;
}

export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  readonly #timer: TimerHandle;
  #freeBytes: number;
  #asking: Promise<void> | null = null;

  private constructor(options: SpaceWatchOptions, freeBytes: number) {
    this.#options = options;
    this.#freeBytes = freeBytes;
    this.#timer = options.environment.timers.every(REFRESH_MS, () => void this.refresh());
  }

  static async open(options: SpaceWatchOptions): Promise<SpaceWatch> {
    const { fileSystem } = options.environment;
    return new SpaceWatch(options, await fileSystem.freeBytes(options.directory));
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Whether entries of a leader may still be written. */
  get admitsEntries(): boolean {
    return this.#freeBytes >= this.#options.diskFreeBytesMin / 2;
  }

  /** Why `byteCount` more bytes are refused, or null; then they count as written. */
  refusal(byteCount: number): string | null {
    const { diskFreeBytesMin } = this.#options;
    if (this.#freeBytes - byteCount >= diskFreeBytesMin) {
      this.#freeBytes -= byteCount;
      return null;
    }
    return `the disk has ${this.#freeBytes} bytes left, ${diskFreeBytesMin} are to stay free`;
  }

  /** Asks the disk now. A failure leaves what was known. */
  refresh(): Promise<void> {
    const { environment, directory } = this.#options;
    this.#asking ??= environment.fileSystem
      .freeBytes(directory)
      .then((bytes) => void (this.#freeBytes = bytes))
      .catch(() => undefined)
      .finally(() => void (this.#asking = null));
    return this.#asking;
  }

  close(): void {
    this.#timer.cancel();
  }
}
