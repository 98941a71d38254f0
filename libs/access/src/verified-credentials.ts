import { createHmac, randomBytes } from 'node:crypto';

/**
 * Remembers which credentials were right, so that a reconnect does not cost a key derivation. Keys
 * are HMAC-SHA-256 under a random key of this process: a memory dump shows no password, nor
 * anything to test guesses against without that key. Only successes are kept, the oldest used goes first.
 */
export class VerifiedCredentials {
  readonly #key = randomBytes(32);
  readonly #entriesMax: number;
  #entries = new Set<string>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** What stands for these credentials. Lengths go in first, so that no two triples look alike. */
  keyOf(username: string, password: Uint8Array, hashText: string): string {
    const name = Buffer.from(username);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(name.length, 0);
    lengths.writeUInt32LE(password.length, 4);
    const hmac = createHmac('sha256', this.#key).update(lengths).update(name).update(password);
    return hmac.update(hashText).digest('base64');
  }

  has(key: string): boolean {
    if (!this.#entries.delete(key)) return false;
    this.#entries.add(key);
    return true;
  }

  add(key: string): void {
    if (this.#entriesMax === 0) return;
    if (this.#entries.size >= this.#entriesMax) {
      const [oldest] = this.#entries;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.add(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
