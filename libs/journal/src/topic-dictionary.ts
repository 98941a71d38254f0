/**
 * Distinct topics, numbered in order of appearance, as bytes in one arena.
 *
 * Open addressing over the hash of the bytes; no string and no object per topic, so 100,000 topics
 * of 30 bytes cost about 5 MB.
 */
import { hashBytes, sameBytes } from './byte-keys.ts';
import { grownUint32, grownUint8 } from './grown-array.ts';

const INITIAL_SLOTS = 64;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class TopicDictionary {
  count = 0;
  /** Topic `id` is `arena[starts[id], starts[id + 1])`. */
  arena: Uint8Array = new Uint8Array(1024);
  starts: Uint32Array = new Uint32Array(32);
  /** Holds id + 1; 0 is free. A power of two long, at most half full. */
  slots: Uint32Array = new Uint32Array(INITIAL_SLOTS);
  #hashes: Uint32Array = new Uint32Array(32);

  get byteLength(): number {
    return (
      this.arena.length + this.starts.byteLength + this.slots.byteLength + this.#hashes.byteLength
    );
  }

  /** The id of the topic, numbered now if it is new. */
  idOf(bytes: Uint8Array, start: number, length: number): number {
    const hash = hashBytes(bytes, start, length);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = (this.slots[slot] as number) - 1;
      if (id < 0) return this.#insert(slot, hash, bytes, start, length);
      if (this.#hashes[id] === hash && this.#holds(id, bytes, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  text(id: number): string {
    return topicTextIn(this.arena, this.starts, id);
  }

  #holds(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const at = this.starts[id] as number;
    if ((this.starts[id + 1] as number) - at !== length) return false;
    return sameBytes(this.arena, at, bytes, start, length);
  }

  #insert(slot: number, hash: number, bytes: Uint8Array, start: number, length: number): number {
    const id = this.count;
    const at = this.starts[id] as number;
    this.arena = grownUint8(this.arena, at + length);
    this.starts = grownUint32(this.starts, id + 2);
    this.#hashes = grownUint32(this.#hashes, id + 1);
    for (let i = 0; i < length; i += 1) this.arena[at + i] = bytes[start + i] as number;
    this.starts[id + 1] = at + length;
    this.#hashes[id] = hash;
    this.slots[slot] = id + 1;
    this.count = id + 1;
    if (this.count * 2 > this.slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.count; id += 1) {
      let slot = (this.#hashes[id] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.slots = slots;
  }
}

/** Looks a topic up in the arrays of a dictionary, without the dictionary; -1 when absent. */
export function findTopicIn(
  table: {
    readonly arena: Uint8Array;
    readonly starts: Uint32Array;
    readonly slots: Uint32Array;
  },
  topic: Uint8Array,
): number {
  const mask = table.slots.length - 1;
  let slot = hashBytes(topic, 0, topic.length) & mask;
  for (;;) {
    const id = (table.slots[slot] as number) - 1;
    if (id < 0) return -1;
    const at = table.starts[id] as number;
    const length = (table.starts[id + 1] as number) - at;
    if (length === topic.length && sameBytes(table.arena, at, topic, 0, length)) return id;
    slot = (slot + 1) & mask;
  }
}

export function topicTextIn(arena: Uint8Array, starts: Uint32Array, id: number): string {
  return decoder.decode(arena.subarray(starts[id], starts[id + 1]));
}
