import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import {
  callBytesMax,
  COMMAND_HEADER_BYTES,
  decodeKeyedCommand,
  encodeKeyedCommand,
  hasFittingKeys,
} from './command-codec.ts';
import type { KeyedCall, KeyedTerms } from './keyed-command.ts';

const TERMS: KeyedTerms = {
  nowMs: 1_700_000_000_123,
  keepRemovalsMs: 3_600_000,
  removalsMax: 1_000_000,
  storedBytesMax: 2 ** 40,
};

const CALLS: readonly KeyedCall[] = [
  { kind: 'claim', key: '', fence: 0 },
  {
    kind: 'write',
    writes: [
      { key: 'caf\u00e9/\u{1f600}', fence: Number.MAX_SAFE_INTEGER, value: new Uint8Array(0) },
      { key: 'k'.repeat(65_535), fence: 1, value: Uint8Array.of(0, 255, 7) },
      { key: 'gone', fence: 2 ** 40, value: null },
    ],
  },
  { kind: 'write', writes: [] },
  { kind: 'claim', key: 'a', fence: 3 },
];

describe('a command', () => {
  test('comes back from its bytes', () => {
    const decoded = decodeKeyedCommand(encodeKeyedCommand(TERMS, CALLS));
    expect(decoded).toEqual({ ok: true, value: { terms: TERMS, calls: CALLS } });
  });

  test('has the bytes that the format says', () => {
    const call: KeyedCall = {
      kind: 'write',
      writes: [
        { key: 'ab', fence: 258, value: Uint8Array.of(9) },
        { key: 'c', fence: 1, value: null },
      ],
    };
    const bytes = encodeKeyedCommand({ ...TERMS, nowMs: 1 }, [call, CALLS[3] as KeyedCall]);
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '01000000', // version
        '02000000', // calls
        '0100000000000000', // now
        '80ee360000000000', // keep removals
        '0000000000010000', // stored bytes max
        '40420f00', // removals max
        '01', // write
        '02000000', // of two
        '01', // put
        '0201000000000000', // fence
        '02006162', // key
        '0100000009', // value
        '02', // remove
        '0100000000000000', // fence
        '010063', // key
        '02', // claim
        '0300000000000000', // fence
        '010061', // key
      ].join(''),
    );
  });

  test('is never longer than was reckoned', () => {
    const reckoned = CALLS.reduce((sum, call) => sum + callBytesMax(call), COMMAND_HEADER_BYTES);
    expect(encodeKeyedCommand(TERMS, CALLS).length).toBeLessThanOrEqual(reckoned);
  });

  test('is refused when it is cut off, longer, or of another version', () => {
    const bytes = encodeKeyedCommand(TERMS, CALLS.slice(0, 1));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeKeyedCommand(bytes.subarray(0, length)).ok).toBe(false);
    }
    expect(decodeKeyedCommand(Buffer.concat([bytes, Uint8Array.of(0)])).ok).toBe(false);
    bytes[0] = 2;
    expect(decodeKeyedCommand(bytes).ok).toBe(false);
  });

  test('random bytes never make the decoder throw', () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = new SeededRandom(seed);
    const sound = encodeKeyedCommand(TERMS, [CALLS[0] as KeyedCall, CALLS[3] as KeyedCall]);
    for (let round = 0; round < 2000; round += 1) {
      const bytes = sound.slice();
      for (let flips = 1 + random.below(4); flips > 0; flips -= 1) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      expect(() => decodeKeyedCommand(bytes), `seed ${seed}`).not.toThrow();
    }
  });

  test('a key that is too long does not fit', () => {
    expect(CALLS.every(hasFittingKeys)).toBe(true);
    expect(hasFittingKeys({ kind: 'claim', key: 'k'.repeat(65_536), fence: 1 })).toBe(false);
    const writes = [{ key: '\u20ac'.repeat(21_846), fence: 1, value: null }];
    expect(hasFittingKeys({ kind: 'write', writes })).toBe(false);
  });
});
