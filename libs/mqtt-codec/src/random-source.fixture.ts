/** A seeded generator for tests: the same seed gives the same packets on every machine. */
export class RandomSource {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  /** 0 to 2^32 - 1 (xorshift32 with a final mix). */
  uint32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) >>> 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return this.uint32() % limit;
  }

  /** Mostly small, sometimes anything up to `max`, sometimes `max` itself. */
  size(max: number): number {
    const choice = this.below(16);
    if (choice === 0) return max;
    return choice < 4 ? this.below(max + 1) : this.below(Math.min(max, 12) + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.uint32();
    return bytes;
  }

  /** Well-formed text without U+0000, `length` characters of one to four bytes. */
  text(length: number): string {
    let text = '';
    for (let index = 0; index < length; index += 1) text += this.pick(CHARACTERS);
    return text;
  }
}

const CHARACTERS: readonly string[] = [
  ...'abcdefghijklmnop0123456789/$ -',
  '\u0001',
  'ä',
  '€',
  '\ufeff',
  '\uffff',
  '😀',
  '\u{10ffff}',
];
