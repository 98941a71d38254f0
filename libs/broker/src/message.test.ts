import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyRange, keepMessage } from './message.ts';
import { messageOn, utf8 } from './routing.fixture.ts';

describe('a kept message', () => {
  test('has bytes of its own, and survives the receive buffer', () => {
    const buffer = utf8('..PROPS-payload..');
    const message = messageOn('a');
    Object.assign(message, { qos: 2, retain: true, expiresAtMs: 7, publisher: buffer });
    Object.assign(message, { headerBytes: buffer, headersStart: 2, headersEnd: 7 });
    Object.assign(message, { payloadBytes: buffer, payloadStart: 8, payloadEnd: 15 });
    Object.assign(message, { wireStart: 0, wireEnd: 17 });
    const kept = keepMessage(message);
    buffer.fill(0);
    const text = new TextDecoder();
    expect(text.decode(kept.headerBytes.subarray(kept.headersStart, kept.headersEnd))).toBe(
      'PROPS',
    );
    expect(text.decode(kept.payloadBytes.subarray(kept.payloadStart, kept.payloadEnd))).toBe(
      'payload',
    );
    expect(kept).toMatchObject({
      topic: message.topic,
      qos: 2,
      retain: true,
      expiresAtMs: 7,
      publisher: buffer,
      kept: true,
      wireStart: -1,
    });
    expect([kept.headersLength, kept.payloadLength, kept.byteCost]).toEqual([5, 7, 212]);
  });
});

describe('copying a range', () => {
  test('writes exactly the range, short or long', () => {
    const lengths = fc.tuple(fc.nat(10), fc.nat(10), fc.nat(120));
    fc.assert(
      fc.property(lengths, ([at, start, length]) => {
        const source = Uint8Array.from({ length: 140 }, (_, index) => index + 1);
        const target = new Uint8Array(140);
        copyRange(target, at, source, start, length);
        const expected = new Uint8Array(140);
        expected.set(source.slice(start, start + length), at);
        expect(target).toEqual(expected);
      }),
    );
  });
});
