/**
 * Would a batch be whole if one of its bits were the other one?
 *
 * A torn write leaves whole sectors out or garbled; a bit that flipped leaves everything else as it
 * was. A CRC tells the two apart: a single bit changes it by a value that depends on the bit's place
 * alone, so one pass over the places finds out whether any of them explains the difference. Garbage
 * passes for a flipped bit once in 2^32 divided by the number of bits.
 *
 * Cost: eight comparisons a byte.
 */
import { crc32c } from '@robustmq/bytes';
import { BATCH_HEADER_BYTES, parseBatchBody, parseBatchHeader } from './log-format.ts';

/** What a byte at the end changes the checksum by; the checksum is linear in it. */
const CHANGE_BY_LAST_BYTE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  const zero = crc32c(Uint8Array.of(0), 0, 1);
  return (crc32c(Uint8Array.of(byte), 0, 1) ^ zero) >>> 0;
});

/** @param bytes  from the beginning of the batch on, which is `position` of the file */
export function isOneBitOff(
  bytes: Uint8Array,
  place: { readonly salt: number; readonly position: number },
): boolean {
  if (bytes.length < BATCH_HEADER_BYTES) return false;
  const header = parseBatchHeader(bytes, 0, place);
  if (header === null) return isHeaderOneBitOff(bytes, place);
  const end = BATCH_HEADER_BYTES + header.bodyBytes;
  if (end > bytes.length) return false;
  const difference = (crc32c(bytes, BATCH_HEADER_BYTES, end) ^ header.bodyCrc) >>> 0;
  return isChangeOfOneBit(difference, header.bodyBytes);
}

/** Whether flipping one bit of so many bytes changes their checksum by `difference`. */
function isChangeOfOneBit(difference: number, byteCount: number): boolean {
  const changes = Array.from({ length: 8 }, (_, bit) => CHANGE_BY_LAST_BYTE[1 << bit] as number);
  for (let behind = 0; behind < byteCount; behind += 1) {
    for (const [bit, change] of changes.entries()) {
      if (change === difference) return true;
      // The same bit one byte further from the end.
      changes[bit] = ((change >>> 8) ^ (CHANGE_BY_LAST_BYTE[change & 0xff] as number)) >>> 0;
    }
  }
  return false;
}

/** The length, the mark of durability or one of the checksums: each bit is tried. */
function isHeaderOneBitOff(
  bytes: Uint8Array,
  place: { readonly salt: number; readonly position: number },
): boolean {
  const copy = bytes.slice();
  for (let bit = 0; bit < BATCH_HEADER_BYTES * 8; bit += 1) {
    const at = bit >> 3;
    copy[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    const header = parseBatchHeader(copy, 0, place);
    if (header !== null && parseBatchBody(copy, BATCH_HEADER_BYTES, header) !== null) return true;
    copy[at] = bytes[at] as number;
  }
  return false;
}
