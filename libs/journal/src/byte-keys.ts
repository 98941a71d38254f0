/** Byte ranges as keys of hash tables. */

/** FNV-1a over a range, finished by a shift so that the low bits depend on all bytes. */
export function hashBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5;
  const after = start + length;
  for (let i = start; i < after; i += 1) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export function sameBytes(
  left: Uint8Array,
  leftStart: number,
  right: Uint8Array,
  rightStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i += 1) {
    if (left[leftStart + i] !== right[rightStart + i]) return false;
  }
  return true;
}

/** A copy of a range. Not `bytes.slice`: in a Node.js Buffer that is a view. */
export function copyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(start, start + length));
  return copy;
}
