import { utf8SequenceLength } from '@robustmq/bytes';
import { ReasonCode } from './reason-code.ts';

const NUMBER_SIGN = 0x23;
const PLUS_SIGN = 0x2b;

/**
 * Whether `bytes[start, start + length)` may be a topic name: 0, 0x81 for ill-formed UTF-8 or U+0000
 * (MQTT-5.0 [MQTT-1.5.4-1], [MQTT-1.5.4-2]), 0x90 for a wildcard (MQTT-5.0 [MQTT-3.3.2-2]) or an
 * empty name (MQTT-5.0 [MQTT-4.7.3-1]; with a topic alias do not ask). Allocates nothing.
 */
export function validateTopicBytes(bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return ReasonCode.topicNameInvalid;
  const end = start + length;
  let hasWildcard = false;
  let at = start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      if (byte === 0) return ReasonCode.malformedPacket;
      if (byte === NUMBER_SIGN || byte === PLUS_SIGN) hasWildcard = true;
      at += 1;
    } else {
      const size = utf8SequenceLength(bytes, at, end);
      if (size === 0) return ReasonCode.malformedPacket;
      at += size;
    }
  }
  return hasWildcard ? ReasonCode.topicNameInvalid : 0;
}
