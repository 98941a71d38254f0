import { describe, expect, test } from 'vitest';
import { createFrame, readFrame } from './frame.ts';
import { FrameStatus } from './hot-path.ts';
import { bytesOf } from './packet-bytes.fixture.ts';

describe('the fixed header (MQTT-5.0 §2.1)', () => {
  const { complete, partial, incomplete, malformed } = FrameStatus;
  const rows = [
    ['', incomplete, 'no byte'],
    ['30', incomplete, 'no length yet'],
    ['3080', incomplete, 'half a length'],
    ['30808080', incomplete, 'three quarters of a length'],
    ['00', malformed, 'type 0 is reserved, §2.1.2'],
    ['308000', malformed, 'not the shortest form [MQTT-1.5.5-1]'],
    ['30ffffff80', malformed, 'a fifth byte of length is announced, §2.1.4'],
    ['30ffffffff01', malformed, 'a fifth byte of length, §2.1.4'],
    ['c000', complete, 'no body'],
    ['400200', partial, 'half a body'],
    ['40020001', complete, 'all of it'],
    ['40020001c000', complete, 'all of it and more'],
    ['30ffffff7f', partial, 'the longest body is announced'],
  ] as const;
  for (const [notation, expected, why] of rows) {
    test(`${notation} has status ${expected}: ${why}`, () => {
      const bytes = bytesOf(notation);
      expect(readFrame(bytes, 0, bytes.length, createFrame())).toBe(expected);
    });
  }

  test('says where the packet ends before its body is there', () => {
    const bytes = bytesOf('ffff 32 ffffff7f');
    const frame = createFrame();
    expect(readFrame(bytes, 2, bytes.length, frame)).toBe(partial);
    expect(frame).toEqual({ header: 0x32, start: 2, bodyStart: 7, bodyEnd: 7 + 268_435_455 });
  });

  const sizes = [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152];
  for (const size of sizes) {
    test(`frames a body of ${size} bytes`, () => {
      const lengthBytes = size < 128 ? 1 : size < 16_384 ? 2 : size < 2_097_152 ? 3 : 4;
      const bytes = new Uint8Array(1 + lengthBytes + size);
      bytes[0] = 0x30;
      for (let index = 0, rest = size; index < lengthBytes; index += 1, rest >>>= 7) {
        bytes[1 + index] = (rest & 0x7f) | (index < lengthBytes - 1 ? 0x80 : 0);
      }
      const frame = createFrame();
      expect(readFrame(bytes, 0, bytes.length, frame)).toBe(complete);
      expect(frame.bodyEnd).toBe(bytes.length);
      expect(readFrame(bytes, 0, bytes.length - 1, frame)).not.toBe(complete);
    });
  }
});
