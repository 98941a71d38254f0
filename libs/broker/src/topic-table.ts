import { assert } from '@robustmq/errors';
import type { MatchResult } from './match-result.ts';

const FIRST_BUCKETS = 1024;
/** With one topic for each bucket on average, a chain of this length does not happen by chance. */
const CHAIN_MAX = 32;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** Hashes of names that came once: a newer one takes the place of an older one. A power of two. */
const SEEN_ONCE = 1 << 15;

/**
 * TopicTable answers: which {@link Topic} do these bytes name? A publisher repeats few topic names
 * very often, so the name is looked up by a hash of its bytes and no string is made on a hit.
 *
 * Cost: about 1 ns a byte to hash, one comparison of the bytes on a hit. Bounded by `topicsMax`:
 * above it, entries not used since the clock hand last passed are forgotten; a Topic is only a
 * cache (match result, encoded name), so forgetting one loses nothing. Names made to collide cost
 * nobody else: a bucket holds at most {@link CHAIN_MAX}, then its topics are forgotten.
 *
 * Who keeps a Topic longer (a topic alias, a retained message) may hold one that the table forgot:
 * `forgotten` says so, and `recall` finds the one that counts.
 *
 * Invariant: a Topic is in the table, `forgotten` or `passing`, and only in the table has it a match.
 *
 * LIMIT: topicsCachedMax
 */
export class TopicTable {
  #buckets: (Topic | null)[];
  #mask: number;
  #count = 0;
  #hand = 0;
  readonly #topicsMax: number;
  #seenOnce: Int32Array | null = null;

  /** @param topicsMax  at least 1 */
  constructor(topicsMax: number) {
    assert(topicsMax >= 1, `a table of ${topicsMax} topics`);
    this.#topicsMax = topicsMax;
    this.#buckets = new Array<Topic | null>(FIRST_BUCKETS).fill(null);
    this.#mask = FIRST_BUCKETS - 1;
  }

  get size(): number {
    return this.#count;
  }

  /**
   * The topic that `bytes[start, start + length)` names, or null when it is not in the table. Bytes are
   * compared as they are, nothing is normalized (MQTT-5.0 [MQTT-4.7.3-4]).
   */
  lookup(bytes: Uint8Array, start: number, length: number): Topic | null {
    const hash = hashOf(bytes, start, length);
    let topic = this.#buckets[hash & this.#mask] as Topic | null;
    while (topic !== null) {
      if (topic.hash === hash && equalBytes(topic.bytes, bytes, start, length)) {
        topic.used = true;
        return topic;
      }
      topic = topic.nextInBucket;
    }
    return null;
  }

  /**
   * Adds a name that `lookup` did not find. The caller has validated it.
   *
   * @param bytes  the table keeps this array: hand over a copy
   */
  add(name: string, bytes: Uint8Array): Topic {
    const topic = new Topic(name, bytes, hashOf(bytes, 0, bytes.length), null);
    this.#insert(topic);
    return topic;
  }

  /**
   * As `add`, for a name that may come only once, such as that of a retained message: it is in the table
   * from its second time on. Until then its topic is *passing*: good for one message, and soon garbage.
   */
  addIfRepeated(bytes: Uint8Array): Topic {
    const topic = this.passing(bytes);
    this.#seenOnce ??= new Int32Array(SEEN_ONCE);
    const slot = topic.hash & (SEEN_ONCE - 1);
    if (this.#seenOnce[slot] === topic.hash) {
      topic.passing = false;
      this.#insert(topic);
    } else this.#seenOnce[slot] = topic.hash;
    return topic;
  }

  /** A topic that is good for one message; the table does not know it. */
  passing(bytes: Uint8Array): Topic {
    const topic = new Topic(null, bytes, hashOf(bytes, 0, bytes.length), null);
    topic.passing = true;
    return topic;
  }

  /** The topic in the table that has this one's name: this one, put back, unless another took its place. */
  recall(topic: Topic): Topic {
    const known = this.find(topic.bytes);
    if (known !== null) return known;
    topic.forgotten = false;
    topic.passing = false;
    topic.used = true;
    this.#insert(topic);
    return topic;
  }

  /** Forgets the match results of all topics, but not the topics: see the router. */
  clearMatches(): void {
    for (const head of this.#buckets) {
      for (let topic = head; topic !== null; topic = topic.nextInBucket) topic.match = null;
    }
  }

  /** The cached topic of this name, if any: its match result is stale once an exact filter changes. */
  find(bytes: Uint8Array): Topic | null {
    return this.lookup(bytes, 0, bytes.length);
  }

  #insert(topic: Topic): void {
    if (this.#count >= this.#topicsMax) this.#evict();
    if (this.#count > this.#mask) this.#grow();
    const slot = topic.hash & this.#mask;
    if (this.#isCrowded(slot)) this.#forgetBucket(slot);
    topic.nextInBucket = this.#buckets[slot] as Topic | null;
    this.#buckets[slot] = topic;
    this.#count += 1;
  }

  #isCrowded(slot: number): boolean {
    let length = 0;
    let topic = this.#buckets[slot] as Topic | null;
    for (; topic !== null; topic = topic.nextInBucket) length += 1;
    return length >= CHAIN_MAX;
  }

  #forgetBucket(slot: number): void {
    let topic = this.#buckets[slot] as Topic | null;
    this.#buckets[slot] = null;
    while (topic !== null) {
      const next: Topic | null = topic.nextInBucket;
      this.#forget(topic);
      topic = next;
    }
  }

  /** The caller has taken it out of its bucket. */
  #forget(topic: Topic): void {
    topic.forgotten = true;
    topic.match = null;
    topic.nextInBucket = null;
    this.#count -= 1;
  }

  /** Second-chance sweep: frees at least one in 16 entries, in steps of whole buckets. */
  #evict(): void {
    const goal = this.#count - Math.max(1, this.#topicsMax >> 4);
    while (this.#count > goal) {
      this.#sweepBucket(this.#hand);
      this.#hand = (this.#hand + 1) & this.#mask;
    }
  }

  #sweepBucket(slot: number): void {
    let previous: Topic | null = null;
    let topic = this.#buckets[slot] as Topic | null;
    while (topic !== null) {
      const next: Topic | null = topic.nextInBucket;
      if (topic.used) {
        topic.used = false;
        previous = topic;
      } else {
        if (previous === null) this.#buckets[slot] = next;
        else previous.nextInBucket = next;
        this.#forget(topic);
      }
      topic = next;
    }
  }

  #grow(): void {
    const old = this.#buckets;
    const size = (this.#mask + 1) * 2;
    this.#buckets = new Array<Topic | null>(size).fill(null);
    this.#mask = size - 1;
    this.#hand = 0;
    for (const head of old) {
      let topic = head;
      while (topic !== null) {
        const next: Topic | null = topic.nextInBucket;
        const slot = topic.hash & this.#mask;
        topic.nextInBucket = this.#buckets[slot] as Topic | null;
        this.#buckets[slot] = topic;
        topic = next;
      }
    }
  }
}

/** A topic name with everything that is worth remembering about it between two messages. */
export class Topic {
  #name: string | null;
  readonly bytes: Uint8Array;
  readonly hash: number;
  nextInBucket: Topic | null;
  used = true;
  /** The table has let it go: nobody tells it any more when its match result becomes stale. */
  forgotten = false;
  /** It never was in the table: nothing is remembered about it. */
  passing = false;
  /** Null or stale (see `matchVersion`) until the router computes it. */
  match: MatchResult | null = null;
  matchVersion = -1;
  /** Only the broker itself publishes to `$SYS/…` (MQTT-5.0 §4.7.2). */
  readonly reserved: boolean;

  /** @param name  null: made of the bytes when it is asked for */
  constructor(name: string | null, bytes: Uint8Array, hash: number, nextInBucket: Topic | null) {
    this.#name = name;
    this.bytes = bytes;
    this.hash = hash;
    this.nextInBucket = nextInBucket;
    this.reserved = startsWithSys(bytes);
  }

  get name(): string {
    this.#name ??= UTF8.decode(this.bytes);
    return this.#name;
  }
}

/** `$SYS/` */
function startsWithSys(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x24) return false;
  return bytes[1] === 0x53 && bytes[2] === 0x59 && bytes[3] === 0x53 && bytes[4] === 0x2f;
}

/** `Topic.hash` of this name in UTF-8: the same in every process and version. */
export function topicHashOf(name: Uint8Array): number {
  return hashOf(name, 0, name.length);
}

/** FNV-1a, 32 bit, kept in the small-integer range. */
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5 | 0;
  const end = start + length;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

function equalBytes(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (known[index] !== bytes[start + index]) return false;
  }
  return true;
}
