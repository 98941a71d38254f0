import type { BytePages } from './byte-pages.ts';

const FIRST_SIZE = 64;
const SLASH = 0x2f;
const NO_PREFIX = -1;

/**
 * Which slot has the block whose name is these bytes? A name is told by the caller: where it lies in its
 * block, `nameAt` behind the start. Open addressing over a hash with a seed: no object and no text per
 * name, about 12 bytes each.
 */
export class SlotsByName {
  /** Of what stands before the last `/` of the name that was hashed last; length -1: it has none. */
  prefixHash = 0;
  prefixLength: number = NO_PREFIX;
  readonly #blocks: BytePages;
  readonly #nameAt: number;
  readonly #seed: number;
  /** Slot + 1; 0 is free. A power of two long, at most half full. */
  #table: Int32Array = new Int32Array(FIRST_SIZE);
  /** By slot. */
  #hashes: Int32Array = new Int32Array(FIRST_SIZE);
  #count = 0;

  /** @param seed  any number that strangers don't know: they could choose names that collide */
  constructor(blocks: BytePages, nameAt: number, seed: number) {
    this.#blocks = blocks;
    this.#nameAt = nameAt;
    this.#seed = seed | 0;
  }

  get count(): number {
    return this.#count;
  }

  /** For `find` and `add`; sets `prefixHash` and `prefixLength`. */
  hashOf(name: Uint8Array): number {
    let hash = this.#seed;
    this.prefixLength = -1;
    for (let at = 0; at < name.length; at += 1) {
      const byte = name[at] as number;
      if (byte === SLASH) {
        this.prefixHash = hash;
        this.prefixLength = at;
      }
      hash = Math.imul(hash ^ byte, 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  /** -1: nobody has it. */
  find(hash: number, name: Uint8Array): number {
    const table = this.#table;
    const mask = table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (table[at] as number) - 1;
      if (slot < 0) return -1;
      if (this.#hashes[slot] === hash && this.#isNamed(slot, name)) return slot;
    }
  }

  /** The name is in the slot's block, and nobody else has it. */
  add(hash: number, slot: number): void {
    if (slot >= this.#hashes.length) this.#growHashes(slot + 1);
    this.#hashes[slot] = hash;
    this.#count += 1;
    if (this.#count * 2 > this.#table.length) this.#growTable(slot);
    else this.#put(slot);
  }

  /** Those behind it move up, so that a search never ends too early. */
  remove(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = (this.#hashes[slot] as number) & mask;
    while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
    this.#count -= 1;
    for (let at = (hole + 1) & mask; table[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#hashes[(table[at] as number) - 1] as number) & mask;
      // It may stand in the hole unless its search begins behind the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      table[hole] = table[at] as number;
      hole = at;
    }
    table[hole] = 0;
  }

  #isNamed(slot: number, name: Uint8Array): boolean {
    const page = this.#blocks.pageOf(slot);
    const start = this.#blocks.startOf(slot);
    if ((((page[start] as number) << 8) | (page[start + 1] as number)) !== name.length)
      return false;
    const nameStart = start + this.#nameAt;
    for (let at = 0; at < name.length; at += 1) {
      if (page[nameStart + at] !== name[at]) return false;
    }
    return true;
  }

  #put(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let at = (this.#hashes[slot] as number) & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = slot + 1;
  }

  #growTable(added: number): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    for (const entry of old) if (entry !== 0) this.#put(entry - 1);
    this.#put(added);
  }

  #growHashes(count: number): void {
    const larger = new Int32Array(Math.max(count, this.#hashes.length * 2));
    larger.set(this.#hashes);
    this.#hashes = larger;
  }
}
