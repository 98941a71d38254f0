/**
 * CRC-32C (Castagnoli), the checksum of every record on disk (RFC 3720 §B.4 has the test vectors).
 *
 * Slicing: as many independent table look-ups as a round has bytes replace as many dependent steps, so
 * that the loop is bound by loads and not by latency. Short ranges go eight bytes a round, in JavaScript,
 * at about 1 ns a byte. Long ones are copied into the memory of a WebAssembly module and go sixteen bytes a
 * round, three to five times as fast, the copy included: there a word is read at once and no look-up has
 * its bounds checked. Tables and module take 90 KiB and are made once, on load.
 */
import { makeCrc32cLoop, ROUND_BYTES } from './crc32c-loop.ts';

/** The Castagnoli polynomial 0x1EDC6F41, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** From here on the loop saves more than the copy and the call cost. */
const LONG_BYTES_MIN = 128;

const T0: Int32Array = firstTable();
const T1: Int32Array = nextTable(T0);
const T2: Int32Array = nextTable(T1);
const T3: Int32Array = nextTable(T2);
const T4: Int32Array = nextTable(T3);
const T5: Int32Array = nextTable(T4);
const T6: Int32Array = nextTable(T5);
const T7: Int32Array = nextTable(T6);
const { input, advance } = makeCrc32cLoop(tables(ROUND_BYTES));

/**
 * The CRC-32C of `bytes[start, end)`, 0 to 2^32 - 1.
 *
 * `seed` continues an earlier sum: `crc32c(b, 0, n)` equals `crc32c(b, k, n, crc32c(b, 0, k))`.
 * Allocates nothing but a view per 16 KiB of a long range.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed: number = 0): number {
  if (end - start < LONG_BYTES_MIN) return ~registerAfter(bytes, start, end, ~seed) >>> 0;
  let register = ~seed;
  let at = start;
  while (end - at >= ROUND_BYTES) {
    const length = Math.min(end - at, input.length) & -ROUND_BYTES;
    input.set(bytes.subarray(at, at + length));
    register = advance(0, length, register);
    at += length;
  }
  return ~registerAfter(bytes, at, end, register) >>> 0;
}

/**
 * The register as a signed integer, before and after. Apart from the unsigned result: the engine enters
 * compiled code in the middle of a loop, and it took a function with both for wrong again and again.
 */
function registerAfter(bytes: Uint8Array, start: number, end: number, register: number): number {
  let crc = register;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (T7[low & 0xff] as number) ^
      (T6[(low >>> 8) & 0xff] as number) ^
      (T5[(low >>> 16) & 0xff] as number) ^
      (T4[low >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at += 1) {
    crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return crc;
}

/** The first `count` tables: the one at `n` has the effect of a byte that is followed by n zero bytes. */
function tables(count: number): Int32Array[] {
  const made = [T0];
  while (made.length < count) made.push(nextTable(made.at(-1) as Int32Array));
  return made;
}

function firstTable(): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
  return table;
}

/** The effect of a byte that is followed by one zero byte more than in `previous`. */
function nextTable(previous: Int32Array): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const crc = previous[byte] as number;
    table[byte] = (crc >>> 8) ^ (T0[crc & 0xff] as number);
  }
  return table;
}
