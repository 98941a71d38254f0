import { getRandomValues } from 'node:crypto';

/** Where chance comes from. */
export interface RandomSource {
  /** A whole number from 0 to 4,294,967,295, each equally likely. */
  uint32(): number;
  /** Fills `bytes`. */
  fill(bytes: Uint8Array): void;
}

/** Unpredictable: fit for identifiers and secrets. */
export const systemRandom: RandomSource = {
  uint32: () => getRandomValues(new Uint32Array(1))[0] as number,
  fill: (bytes) => {
    getRandomValues(bytes);
  },
};

/** The same numbers for the same seed (a 32-bit mixing counter). For tests, never for secrets. */
export class SeededRandom implements RandomSource {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = this.uint32() >>> 24;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * limit);
  }
}
