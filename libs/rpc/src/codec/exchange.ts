/** Batches of opaque frames: `proto/robustmq/raft/v1/raft_transport.proto`. */
import type { Codec } from '../contract/method.ts';
import { codecOf } from './codec-of.ts';

/** Frames in order. What is decoded are parts of what was received, without a copy. */
export const exchangeFramesCodec: Codec<readonly Uint8Array[]> = codecOf(
  (writer, frames) => {
    for (const frame of frames) writer.alwaysBytes(1, frame);
  },
  (reader) => {
    const frames: Uint8Array[] = [];
    while (reader.next()) {
      if (reader.field === 1) frames.push(reader.view());
      else reader.skip();
    }
    return frames;
  },
);
