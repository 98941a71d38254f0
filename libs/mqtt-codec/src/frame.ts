/**
 * The fixed header (MQTT-5.0 §2.1): where one control packet begins and ends in a buffer. Hot path:
 * no allocation, no exception.
 */
import {
  readVariableByteInteger,
  VARIABLE_BYTE_INTEGER_INCOMPLETE,
  VARIABLE_BYTE_INTEGER_MALFORMED,
} from '@robustmq/bytes';
import { type Frame, FrameStatus } from './hot-path.ts';

/** A frame to be filled by {@link readFrame} again and again. */
export function createFrame(): Frame {
  return { header: 0, start: 0, bodyStart: 0, bodyEnd: 0 };
}

/**
 * Locates the packet at `at` within `bytes[at, end)`.
 *
 * - `complete`: all of `frame` is set and the packet is there; the next begins at `bodyEnd`.
 * - `partial`: all of `frame` is set, `bodyEnd` lies beyond `end`: compare the size of the packet,
 *   `bodyEnd - start`, with the maximum packet size before buffering more.
 * - `incomplete`: only `header` (if there is a byte) and `start` are set.
 * - `malformed`: a reserved type or a bad remaining length; close the connection.
 *
 * Never throws and allocates nothing.
 */
export function readFrame(bytes: Uint8Array, at: number, end: number, frame: Frame): FrameStatus {
  frame.start = at;
  if (at >= end) return FrameStatus.incomplete;
  const header = bytes[at] as number;
  frame.header = header;
  if (header < 0x10) return FrameStatus.malformed; // MQTT-5.0 §2.1.2: type 0 is reserved.
  const first = at + 1 < end ? (bytes[at + 1] as number) : 0x80;
  if (first < 0x80) {
    frame.bodyStart = at + 2;
    frame.bodyEnd = at + 2 + first;
    return frame.bodyEnd <= end ? FrameStatus.complete : FrameStatus.partial;
  }
  return readLongFrame(bytes, at, end, frame);
}

function readLongFrame(bytes: Uint8Array, at: number, end: number, frame: Frame): FrameStatus {
  const length = readVariableByteInteger(bytes, at + 1, end);
  if (length === VARIABLE_BYTE_INTEGER_INCOMPLETE) return FrameStatus.incomplete;
  // Four bytes at most (MQTT-5.0 §2.1.4), in the shortest form (MQTT-5.0 [MQTT-1.5.5-1]). 3.1.1
  // does not demand the shortest form, but nobody sends another.
  if (length === VARIABLE_BYTE_INTEGER_MALFORMED) return FrameStatus.malformed;
  frame.bodyStart = at + 1 + (length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4);
  frame.bodyEnd = frame.bodyStart + length;
  return frame.bodyEnd <= end ? FrameStatus.complete : FrameStatus.partial;
}
