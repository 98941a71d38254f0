/**
 * Variable byte integers (MQTT-5.0 §1.5.5): seven bits a byte, least significant first, the top bit
 * says that another byte follows; one to four bytes.
 */

/** The largest value four bytes hold (MQTT-5.0 §1.5.5, table 1-1). */
export const VARIABLE_BYTE_INTEGER_MAX = 268_435_455;

/** {@link readVariableByteInteger}: more bytes are needed. */
export const VARIABLE_BYTE_INTEGER_INCOMPLETE: number = -1;
/** {@link readVariableByteInteger}: no continuation makes these bytes valid. */
export const VARIABLE_BYTE_INTEGER_MALFORMED: number = -2;

/** Bytes that `value`, 0 to {@link VARIABLE_BYTE_INTEGER_MAX}, takes: 1 to 4. */
export function variableByteIntegerSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

/**
 * Writes `value`, 0 to {@link VARIABLE_BYTE_INTEGER_MAX}, at `at` in the shortest form
 * (MQTT-5.0 [MQTT-1.5.5-1]) and returns the offset after it. The caller has made room.
 */
export function writeVariableByteInteger(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest > 127) {
    target[offset] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    offset += 1;
  }
  target[offset] = rest;
  return offset + 1;
}

/**
 * The value at `at`, or one of the negative outcomes above. Because only the shortest form is
 * accepted (MQTT-5.0 [MQTT-1.5.5-1]), {@link variableByteIntegerSize} of the value tells how many
 * bytes it took. Allocates nothing.
 */
export function readVariableByteInteger(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return VARIABLE_BYTE_INTEGER_INCOMPLETE;
  const first = bytes[at] as number;
  if (first < 0x80) return first;
  let value = first & 0x7f;
  for (let index = 1; index < 4; index += 1) {
    if (at + index >= end) return VARIABLE_BYTE_INTEGER_INCOMPLETE;
    const byte = bytes[at + index] as number;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return byte === 0 ? VARIABLE_BYTE_INTEGER_MALFORMED : value;
  }
  return VARIABLE_BYTE_INTEGER_MALFORMED;
}
