/**
 * The fingerprint of a history: two runs are the same when their hashes are. Beside it, the hashes by
 * which states and changes are compared.
 */

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

export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash;
}

export function bytesHash(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at += 1) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  }
  return hash;
}
