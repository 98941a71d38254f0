import { SeededRandom } from '@robustmq/environment';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from './command.ts';
import { decodeCommand, encodeCommand } from './command-codec.ts';
import type { LeaseId, Revision } from './identifiers.ts';
import { arbitraryCommand } from './testing/arbitrary-commands.ts';

const MAX = Number.MAX_SAFE_INTEGER;

function decoded(bytes: Uint8Array): Command {
  const result = decodeCommand(bytes);
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}

describe('a command', () => {
  test('comes back from its bytes', () => {
    fc.assert(
      fc.property(arbitraryCommand, (command) => {
        expect(decoded(encodeCommand(command))).toEqual(command);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps the largest numbers, a byte order mark and U+0000', () => {
    const commands: Command[] = [
      { kind: 'compact', revision: MAX as Revision },
      { kind: 'revokeLease', id: MAX as LeaseId, reason: 'expired' },
      { kind: 'grantLease', id: null, ttlSeconds: MAX, requestId: '\ufeff\0' },
    ];
    for (const command of commands) expect(decoded(encodeCommand(command))).toEqual(command);
  });

  test('has one encoding: bytes that decode are those that would be written', () => {
    let valid = 0;
    const ambiguous: Uint8Array[] = [];
    for (const bytes of mutations(7, 100_000)) {
      const result = decodeCommand(bytes);
      if (!result.ok) continue;
      valid += 1;
      if (Buffer.compare(encodeCommand(result.value), bytes) !== 0) ambiguous.push(bytes);
    }
    expect(ambiguous).toEqual([]);
    expect(valid).toBeGreaterThan(100);
  });

  test('that is cut anywhere, or goes on after its end, is refused', () => {
    for (const command of fc.sample(arbitraryCommand, { numRuns: 100, seed: 3 })) {
      const bytes = encodeCommand(command);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decodeCommand(bytes.subarray(0, length)).ok).toBe(false);
      }
      expect(decodeCommand(Uint8Array.of(...bytes, 0)).ok).toBe(false);
    }
  });

  test.each([
    ['an unknown version', [1, 1]],
    ['an unknown kind', [2, 9]],
    ['a number above 2^53 - 1', [2, 4, 0, 0x20, 0, 0, 0, 0, 0, 0]],
    ['a flag that is neither 0 nor 1', [2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 2]],
    ['a list longer than the command', [2, 1, 0, 0xff, 0xff, 0xff, 0xff]],
    ['a text that is no UTF-8', [2, 1, 1, 0, 0, 0, 1, 0xff, ...new Array<number>(12).fill(0)]],
    [
      'an encoded surrogate',
      [2, 1, 1, 0, 0, 0, 3, 0xed, 0xa0, 0x80, ...new Array<number>(12).fill(0)],
    ],
  ])('with %s is refused', (_, bytes) => {
    expect(decodeCommand(Uint8Array.from(bytes))).toEqual({
      ok: false,
      fault: { code: 'COMMAND_MALFORMED', detail: expect.any(String) },
    });
  });
});

/** Encodings of commands with a few bytes changed, cut out or doubled. */
function* mutations(seed: number, count: number): Generator<Uint8Array> {
  const random = new SeededRandom(seed);
  const samples = fc.sample(arbitraryCommand, { numRuns: 300, seed }).map(encodeCommand);
  for (let i = 0; i < count; i += 1) {
    const bytes = [...(samples[random.below(samples.length)] ?? [])];
    for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
      const at = random.below(bytes.length);
      const kind = random.below(4);
      if (kind === 0) bytes.splice(at, 1 + random.below(4));
      else if (kind === 1) bytes.splice(at, 0, ...bytes.slice(at, at + 4));
      else if (kind === 2) bytes[at] = random.below(256);
      else bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    yield Uint8Array.from(bytes);
  }
}
