/** The fingerprint of a history: two runs are the same when their hashes are. */

/** A well-stirred 32-bit mixture of two numbers. */
export function mixed(left: number, right: number): number {
  let hash = Math.imul((left ^ (right + 0x9e3779b9)) | 0, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ right, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

export class TraceHash {
  #hash = 0x811c9dc5 | 0;

  add(value: number): void {
    this.#hash = mixed(this.#hash, value | 0);
  }

  get hex(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
