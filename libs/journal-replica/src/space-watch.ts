/**
 * Knows how much room a disk has, so that appends are refused while there is some left: a Raft
 * group whose log can't be written is over for this process.
 *
 * The free space is asked for once a second; in between, what is written is subtracted.
 */
import type { FileSystem, TimerHandle, Timers } from '@robustmq/environment';

const REFRESH_MS = 1000;
/** What must be free again, as a multiple of what is to stay free, before the disk counts as roomy. */
const ROOMY_AGAIN = 1.25;

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
  #isScarce: boolean;
  #asking: Promise<void> | null = null;

  private constructor(options: SpaceWatchOptions, freeBytes: number) {
    this.#options = options;
    this.#freeBytes = freeBytes;
    this.#isScarce = freeBytes < options.diskFreeBytesMin;
    this.#timer = options.environment.timers.every(REFRESH_MS, () => void this.refresh());
  }

  static async open(options: SpaceWatchOptions): Promise<SpaceWatch> {
    const { fileSystem } = options.environment;
    return new SpaceWatch(options, await fileSystem.freeBytes(options.directory));
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /**
   * Whether it would be better to lead elsewhere: an append was refused, or would be. That lasts until there
   * is clearly more room, so that leadership does not go to and fro.
   */
  get isScarce(): boolean {
    return this.#isScarce;
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
    this.#isScarce = true;
    return `the disk has ${this.#freeBytes} bytes left, ${diskFreeBytesMin} are to stay free`;
  }

  /** Asks the disk now. A failure leaves what was known. */
  refresh(): Promise<void> {
    const { environment, directory } = this.#options;
    this.#asking ??= environment.fileSystem
      .freeBytes(directory)
      .then((bytes) => this.#learn(bytes))
      .catch(() => undefined)
      .finally(() => void (this.#asking = null));
    return this.#asking;
  }

  close(): void {
    this.#timer.cancel();
  }

  #learn(freeBytes: number): void {
    const { diskFreeBytesMin } = this.#options;
    this.#freeBytes = freeBytes;
    if (freeBytes < diskFreeBytesMin) this.#isScarce = true;
    else if (freeBytes >= diskFreeBytesMin * ROOMY_AGAIN) this.#isScarce = false;
  }
}
