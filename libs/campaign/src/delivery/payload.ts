/** Payloads that say which message they belong to and whether they arrived whole. */
import { crc32 } from 'node:zlib';

/** u32 sequence number | u32 checksum of topic, sequence number and filler | filler */
const HEAD_BYTES = 8;

/** The payload of message `sequence` of `topic`, with `fillerBytes` more that depend on both. */
export function payloadOf(topic: string, sequence: number, fillerBytes: number): Uint8Array {
  const payload = Buffer.alloc(HEAD_BYTES + fillerBytes, `${topic}#${sequence};`);
  payload.writeUInt32BE(sequence, 0);
  payload.writeUInt32BE(checksumOf(topic, payload), 4);
  return payload;
}

/** The sequence number; null when the payload is not what was published to `topic`. */
export function sequenceOf(topic: string, payload: Uint8Array): number | null {
  if (payload.length < HEAD_BYTES) return null;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return bytes.readUInt32BE(4) === checksumOf(topic, bytes) ? bytes.readUInt32BE(0) : null;
}

function checksumOf(topic: string, payload: Buffer): number {
  const start = crc32(payload.subarray(0, 4), crc32(topic));
  return crc32(payload.subarray(HEAD_BYTES), start);
}
