/**
 * UTF-8 as MQTT and our own formats want it: well-formed as RFC 3629 §4 defines it, that is, without
 * overlong forms, without surrogates and at most U+10FFFF. A byte order mark is an ordinary
 * character (MQTT-5.0 [MQTT-1.5.4-3]).
 */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Below this many bytes a loop in JavaScript beats the call of the platform's decoder. */
const SHORT_TEXT_BYTES = 24;

/**
 * How many bytes the well-formed character at `at` takes, 1 to 4, or 0 when it is ill-formed or does
 * not end before `end` (RFC 3629 §4). Allocates nothing.
 */
export function utf8SequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0; // A continuation byte, or the overlong C0 and C1.
  if (first < 0xe0) return at + 1 < end && isContinuation(bytes[at + 1] as number) ? 2 : 0;
  if (at + 2 >= end) return 0;
  const second = bytes[at + 1] as number;
  if (!isContinuation(second) || !isContinuation(bytes[at + 2] as number)) return 0;
  if (first < 0xf0) {
    if (first === 0xe0 && second < 0xa0) return 0; // Overlong.
    return first === 0xed && second >= 0xa0 ? 0 : 3; // Surrogates, U+D800 to U+DFFF.
  }
  if (first > 0xf4 || at + 3 >= end || !isContinuation(bytes[at + 3] as number)) return 0;
  if (first === 0xf0 && second < 0x90) return 0; // Overlong.
  return first === 0xf4 && second >= 0x90 ? 0 : 4; // Above U+10FFFF.
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * The offset of the first ill-formed sequence or U+0000 in `bytes[start, end)`, or -1 when there is
 * none. MQTT forbids both in every string (MQTT-5.0 [MQTT-1.5.4-1], [MQTT-1.5.4-2]). Allocates
 * nothing.
 */
export function utf8FaultOffset(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      if (byte === 0) return at;
      at += 1;
    } else {
      const length = utf8SequenceLength(bytes, at, end);
      if (length === 0) return at;
      at += length;
    }
  }
  return -1;
}

/** The text in `bytes[start, end)`, which the caller knows to be well-formed; else U+FFFD appears. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT_BYTES) return decoder.decode(bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The UTF-8 of `text` in a new array. A lone surrogate, which has no UTF-8, becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
