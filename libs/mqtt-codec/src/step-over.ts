/**
 * Steps over one value in place: the offset after it, or 0x81 negated when it is cut short or
 * ill-formed. Hot path: no allocation, no exception.
 */
import { utf8FaultOffset } from '@robustmq/bytes';
import { ReasonCode } from './reason-code.ts';

const MALFORMED: number = -ReasonCode.malformedPacket;

/** Binary data: two bytes of length and as many bytes (MQTT-5.0 §1.5.6). */
export function stepOverBinary(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return MALFORMED;
  const after = at + 2 + (((bytes[at] as number) << 8) | (bytes[at + 1] as number));
  return after > end ? MALFORMED : after;
}

/** A UTF-8 encoded string: well-formed and without U+0000 (MQTT-5.0 [MQTT-1.5.4-1], [MQTT-1.5.4-2]). */
export function stepOverText(bytes: Uint8Array, at: number, end: number): number {
  const after = stepOverBinary(bytes, at, end);
  if (after < 0) return after;
  return utf8FaultOffset(bytes, at + 2, after) === -1 ? after : MALFORMED;
}

/** A UTF-8 string pair (MQTT-5.0 §1.5.7). */
export function stepOverTextPair(bytes: Uint8Array, at: number, end: number): number {
  const after = stepOverText(bytes, at, end);
  return after < 0 ? after : stepOverText(bytes, after, end);
}
