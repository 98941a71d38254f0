/** Batches of opaque frames: `proto/robustmq/raft/v1/raft_transport.proto`. */
import type { Codec } from '../contract/method.ts';
import { ProtobufReader } from '../wire/protobuf-reader.ts';

/** Field 1, length-delimited. */
const FRAME_TAG = 0x0a;

/**
 * Frames in order, each copied once on the way out. What is decoded are parts of what was received,
 * without a copy.
 */
export const exchangeFramesCodec: Codec<readonly Uint8Array[]> = {
  encode: encodeFrames,
  decode: (bytes) => {
    const frames: Uint8Array[] = [];
    const reader = new ProtobufReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) frames.push(reader.view());
      else reader.skip();
    }
    return frames;
  },
};

function encodeFrames(frames: readonly Uint8Array[]): Uint8Array {
  const size = frames.reduce((sum, { length }) => sum + 1 + lengthBytes(length) + length, 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const frame of frames) {
    bytes[at] = FRAME_TAG;
    at += 1;
    let rest = frame.length;
    while (rest > 0x7f) {
      bytes[at] = (rest & 0x7f) | 0x80;
      at += 1;
      rest >>>= 7;
    }
    bytes[at] = rest;
    at += 1;
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : Math.ceil((32 - Math.clz32(length)) / 7);
}
