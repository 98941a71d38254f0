/** What producers write: every record says whose it is, and is the same wherever it is read. */

const NUMBERS_MAX = 2 ** 32;
const decoder = new TextDecoder();

/** One number for a record: of its producer and its place among those of the producer. */
export function keyOf(producer: number, number: number): number {
  return producer * NUMBERS_MAX + number;
}

export function textOf(key: number): string {
  return `${Math.floor(key / NUMBERS_MAX)}:${key % NUMBERS_MAX}`;
}

export function producerOf(key: number): number {
  return Math.floor(key / NUMBERS_MAX);
}

export function bodyOf(key: number, byteLength: number): Buffer {
  return Buffer.alloc(byteLength, `${textOf(key)};`);
}

/** @returns null when the body is not one that was written, whole */
export function keyIn(body: Uint8Array): number | null {
  const end = body.indexOf(59);
  const [producer, number] = decoder.decode(body.subarray(0, Math.max(end, 0))).split(':');
  const key = keyOf(Number(producer), Number(number));
  if (!Number.isSafeInteger(key)) return null;
  return bodyOf(key, body.length).equals(body) ? key : null;
}
