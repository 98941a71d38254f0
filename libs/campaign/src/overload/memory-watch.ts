/** Keeps the largest resident memory that a broker shows. */

/** A process, or several. */
interface HasMemory {
  readonly residentBytes: number;
}

const PERIOD_MS = 50;
const MEGABYTE = 1024 * 1024;

export class MemoryWatch {
  readonly #broker: HasMemory;
  readonly #timer: NodeJS.Timeout;
  #bytesMax = 0;

  constructor(broker: HasMemory) {
    this.#broker = broker;
    this.#timer = setInterval(() => this.#look(), PERIOD_MS);
  }

  /** The largest since the last call, in whole megabytes. */
  takeMegabytes(): number {
    this.#look();
    const megabytes = Math.round(this.#bytesMax / MEGABYTE);
    this.#bytesMax = 0;
    return megabytes;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#bytesMax = Math.max(this.#bytesMax, this.#broker.residentBytes);
  }
}
