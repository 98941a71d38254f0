import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { crc32c } from './crc32c.ts';
import { decodeUtf8, encodeUtf8, utf8FaultOffset } from './utf8.ts';
import {
  readVariableByteInteger,
  VARIABLE_BYTE_INTEGER_INCOMPLETE,
  VARIABLE_BYTE_INTEGER_MALFORMED,
  VARIABLE_BYTE_INTEGER_MAX,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

/** One bit at a time: simple enough to be obviously right. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC-32C', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  const rows = [
    [new Uint8Array(0), 0, 'nothing'],
    [encodeUtf8('123456789'), 0xe3069283, 'the customary check value'],
    [new Uint8Array(32), 0x8a9136aa, 'RFC 3720 §B.4, zeroes'],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43, 'RFC 3720 §B.4, ones'],
    [ascending, 0x46dd794e, 'RFC 3720 §B.4, ascending'],
    [ascending.toReversed(), 0x113fdb5c, 'RFC 3720 §B.4, descending'],
  ] as const;
  for (const [bytes, expected, why] of rows) {
    test(`matches the vector: ${why}`, () => {
      expect(crc32c(bytes, 0, bytes.length)).toBe(expected);
    });
  }

  // Around the lengths at which the way of summing changes: 8 and 128 bytes, rounds of 16, 16 KiB.
  const lengths = [7, 8, 9, 127, 128, 129, 143, 144, 145, 16_383, 16_384, 16_385, 16_400, 50_001];
  for (const length of lengths) {
    test(`agrees with one bit at a time on ${length} bytes`, () => {
      const bytes = Uint8Array.from({ length: length + 3 }, (_, index) =>
        Math.imul(index, 0x9e3779b1),
      );
      expect(crc32c(bytes, 3, bytes.length)).toBe(slowCrc32c(bytes.subarray(3)));
      const split = 3 + (length >> 1);
      const first = crc32c(bytes, 3, split);
      expect(crc32c(bytes, split, bytes.length, first)).toBe(crc32c(bytes, 3, bytes.length));
    });
  }

  test('agrees with one bit at a time, on any range and with any split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), fc.nat(400), (bytes, a, b) => {
        const start = Math.min(a, bytes.length);
        const split = Math.min(bytes.length, start + b);
        const whole = crc32c(bytes, start, bytes.length);
        expect(whole).toBe(slowCrc32c(bytes.subarray(start)));
        expect(crc32c(bytes, split, bytes.length, crc32c(bytes, start, split))).toBe(whole);
      }),
    );
  });
});

describe('a variable byte integer (MQTT-5.0 §1.5.5)', () => {
  const rows = [
    [0, [0x00], 'table 1-1, one byte from'],
    [127, [0x7f], 'table 1-1, one byte to'],
    [128, [0x80, 0x01], 'table 1-1, two bytes from'],
    [16_383, [0xff, 0x7f], 'table 1-1, two bytes to'],
    [16_384, [0x80, 0x80, 0x01], 'table 1-1, three bytes from'],
    [2_097_151, [0xff, 0xff, 0x7f], 'table 1-1, three bytes to'],
    [2_097_152, [0x80, 0x80, 0x80, 0x01], 'table 1-1, four bytes from'],
    [VARIABLE_BYTE_INTEGER_MAX, [0xff, 0xff, 0xff, 0x7f], 'table 1-1, four bytes to'],
  ] as const;
  for (const [value, bytes, why] of rows) {
    test(`${value} is written and read: ${why}`, () => {
      const target = new Uint8Array(4);
      expect(writeVariableByteInteger(target, 0, value)).toBe(bytes.length);
      expect([...target.subarray(0, bytes.length)]).toEqual(bytes);
      expect(variableByteIntegerSize(value)).toBe(bytes.length);
      expect(readVariableByteInteger(target, 0, 4)).toBe(value);
      for (let end = 0; end < bytes.length; end += 1) {
        expect(readVariableByteInteger(target, 0, end)).toBe(VARIABLE_BYTE_INTEGER_INCOMPLETE);
      }
    });
  }

  const malformed = [
    [[0x80, 0x00], 'not the shortest form [MQTT-1.5.5-1]'],
    [[0xff, 0x80, 0x00], 'not the shortest form [MQTT-1.5.5-1]'],
    [[0x80, 0x80, 0x80, 0x00], 'not the shortest form [MQTT-1.5.5-1]'],
    [[0xff, 0xff, 0xff, 0xff], 'a fifth byte is announced'],
  ] as const;
  for (const [bytes, why] of malformed) {
    test(`[${bytes}] is malformed: ${why}`, () => {
      const input = Uint8Array.from(bytes);
      expect(readVariableByteInteger(input, 0, input.length)).toBe(VARIABLE_BYTE_INTEGER_MALFORMED);
    });
  }
});

describe('UTF-8', () => {
  const rows = [
    [[0x61, 0x00], 1, 'U+0000'],
    [[0x80], 0, 'a lone continuation byte'],
    [[0xc0, 0xaf], 0, 'overlong in two bytes'],
    [[0xe0, 0x80, 0x80], 0, 'overlong in three bytes'],
    [[0xf0, 0x80, 0x80, 0x80], 0, 'overlong in four bytes'],
    [[0xed, 0xa0, 0x80], 0, 'a high surrogate'],
    [[0xed, 0xbf, 0xbf], 0, 'a low surrogate'],
    [[0xf4, 0x90, 0x80, 0x80], 0, 'above U+10FFFF'],
    [[0xf5, 0x80, 0x80, 0x80], 0, 'a byte that never occurs'],
    [[0x61, 0xe2, 0x82], 1, 'cut short'],
    [[0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80], -1, 'the neighbours of the surrogates'],
    [[0xf4, 0x8f, 0xbf, 0xbf], -1, 'U+10FFFF'],
    [[0xef, 0xbb, 0xbf], -1, 'a byte order mark is a character [MQTT-1.5.4-3]'],
  ] as const;
  for (const [bytes, offset, why] of rows) {
    test(`[${bytes}] has its fault at ${offset}: ${why}`, () => {
      expect(utf8FaultOffset(Uint8Array.from(bytes), 0, bytes.length)).toBe(offset);
    });
  }

  test('is judged as the platform judges it', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const spicy = fc.constantFrom(0x41, 0x80, 0xa0, 0xbf, 0xc2, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5);
    fc.assert(
      fc.property(fc.array(fc.oneof(spicy, fc.integer({ min: 1, max: 255 }))), (numbers) => {
        const bytes = Uint8Array.from(numbers);
        let text: string | null = null;
        try {
          text = strict.decode(bytes);
        } catch {
          // The platform's decoder throws for ill-formed bytes: `text` stays null.
        }
        const fault = utf8FaultOffset(bytes, 0, bytes.length);
        expect(fault === -1).toBe(text !== null);
        if (text !== null) expect(decodeUtf8(bytes, 0, bytes.length)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('keeps a byte order mark', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 0, 4)).toBe('\ufeffa');
  });
});

test('the writer grows and writes big-endian', () => {
  const writer = new ByteWriter(1);
  writer.byte(1);
  writer.uint16(0x0203);
  writer.uint32(0xfffefdfc);
  writer.variableByteInteger(321);
  writer.raw(Uint8Array.of(7, 8));
  expect([...writer.view()]).toEqual([1, 2, 3, 0xff, 0xfe, 0xfd, 0xfc, 0xc1, 0x02, 7, 8]);
  expect(writer.length).toBe(11);
});
