import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSessionState, encodeSessionState, type SessionState } from './session-state.ts';

const offset = fc.nat({ max: 2 ** 43 });
const id = fc.integer({ min: 1, max: 65_535 });

function stateOf(shards: number): fc.Arbitrary<SessionState> {
  const offsets = fc.array(offset, { minLength: shards, maxLength: shards });
  return fc.record({
    final: fc.boolean(),
    tenure: fc.maxSafeNat(),
    positions: offsets,
    watermarks: offsets,
    exchanges: fc.array(
      fc.record({ id, state: fc.integer({ min: 2, max: 5 }), place: fc.maxSafeNat() }),
      { maxLength: 5 },
    ),
    receipts: fc.array(fc.record({ id, pending: fc.boolean() }), { maxLength: 5 }),
    starts: fc.array(fc.record({ key: fc.string(), offsets }), { maxLength: 3 }),
    earlier: fc.array(
      fc.record({
        tenure: fc.maxSafeNat(),
        from: offsets,
        touched: fc.array(id, { maxLength: 5 }),
      }),
      { maxLength: 3 },
    ),
  });
}

describe('the record of a session', () => {
  test('says what it was told', () => {
    const states = fc.integer({ min: 1, max: 5 }).chain(stateOf);
    fc.assert(
      fc.property(states, (state) => {
        expect(decodeSessionState(encodeSessionState(state))).toEqual(state);
      }),
      { numRuns: 200 },
    );
  });

  test('of a newer version is refused with a sentence', () => {
    expect(() => decodeSessionState(new Uint8Array([9, 0]))).toThrow(
      /version 9; this broker knows/,
    );
  });
});
