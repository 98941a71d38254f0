/** The content of one file in memory: what programs see, and what a loss of power leaves. */
import type { SeededRandom } from './random-source.ts';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

export class MemoryFile {
  #bytes = new Uint8Array(0);
  #length = 0;
  #durable = new Uint8Array(0);
  #durableLength = 0;
  /** Numbers of the sectors written since the last flush. */
  readonly #dirty = new Set<number>();

  get byteLength(): number {
    return this.#length;
  }

  read(target: Uint8Array, position: number): number {
    const after = Math.min(this.#length, position + target.length);
    if (position >= after) return 0;
    target.set(this.#bytes.subarray(position, after));
    return after - position;
  }

  write(bytes: Uint8Array, position: number): void {
    const after = position + bytes.length;
    this.#bytes = withCapacity(this.#bytes, after);
    this.#bytes.set(bytes, position);
    this.#length = Math.max(this.#length, after);
    this.#touch(position, after);
  }

  truncate(byteLength: number): void {
    if (byteLength < this.#length) this.#bytes.fill(0, byteLength, this.#length);
    this.#bytes = withCapacity(this.#bytes, byteLength);
    this.#touch(Math.min(byteLength, this.#length), Math.max(byteLength, this.#length));
    this.#length = byteLength;
  }

  sync(): void {
    this.#durable = withCapacity(this.#durable, this.#length);
    for (const sector of this.#dirty) {
      const start = sector * SECTOR_BYTES;
      this.#durable.set(sectorOf(this.#bytes, sector), start);
    }
    this.#durableLength = this.#length;
    this.#dirty.clear();
  }

  /**
   * The file after a loss of power: each sector written since the last flush, and the length,
   * made it to the disk or did not.
   */
  afterCrash(random: SeededRandom): MemoryFile {
    const left = new MemoryFile();
    const longest = Math.max(this.#length, this.#durableLength);
    const bytes = withCapacity(this.#durable.slice(), longest);
    const keptOf8 = random.below(9);
    for (const sector of this.#dirty) {
      if (random.below(8) < keptOf8)
        bytes.set(sectorOf(this.#bytes, sector), sector * SECTOR_BYTES);
    }
    const length = this.#lengthAfterCrash(random);
    bytes.fill(0, length);
    left.write(bytes.subarray(0, length), 0);
    left.sync();
    return left;
  }

  #lengthAfterCrash(random: SeededRandom): number {
    const choice = random.below(3);
    if (choice === 0) return this.#durableLength;
    if (choice === 1) return this.#length;
    const low = Math.min(this.#length, this.#durableLength);
    const high = Math.max(this.#length, this.#durableLength);
    return Math.min(
      high,
      low + random.below(Math.ceil((high - low) / SECTOR_BYTES) + 1) * SECTOR_BYTES,
    );
  }

  #touch(start: number, after: number): void {
    const last = Math.floor((after - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(start / SECTOR_BYTES); sector <= last; sector += 1) {
      this.#dirty.add(sector);
    }
  }
}

/** Capacities are whole sectors, so that a sector can be copied without looking at the length. */
function withCapacity(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (length <= bytes.length) return bytes;
  const sectors = Math.ceil(Math.max(length, bytes.length * 2) / SECTOR_BYTES);
  const grown = new Uint8Array(sectors * SECTOR_BYTES);
  grown.set(bytes);
  return grown;
}

function sectorOf(bytes: Uint8Array, sector: number): Uint8Array {
  return bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}
