/** Damage to encoded packets, as networks and attackers do it. */
import {
  readVariableByteInteger,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from '@robustmq/bytes';
import type { RandomSource } from './random-source.fixture.ts';

/** Bytes that mean something somewhere: limits, property identifiers, parts of UTF-8. */
const SPICE: readonly number[] = [
  0, 1, 2, 3, 8, 9, 0x0b, 0x11, 0x15, 0x16, 0x1f, 0x21, 0x23, 0x26, 0x2a, 0x2b, 0x7f, 0x80, 0x81,
  0xc0, 0xc2, 0xed, 0xf4, 0xff,
];

/** A damaged copy; in most cases with a remaining length that is right again. */
export function mutate(random: RandomSource, packet: Uint8Array): Uint8Array {
  let bytes = [...packet];
  const rounds = 1 + random.below(3);
  for (let round = 0; round < rounds; round += 1) bytes = mutateOnce(random, bytes);
  const damaged = Uint8Array.from(bytes);
  return random.oneIn(4) ? damaged : withRightLength(damaged);
}

function mutateOnce(random: RandomSource, bytes: number[]): number[] {
  const at = random.below(bytes.length + 1);
  const count = 1 + random.below(4);
  switch (random.below(6)) {
    case 0:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte));
    case 1:
      return bytes.map((byte, index) => (index === at ? random.pick(SPICE) : byte));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return [...bytes.slice(0, at), ...bytes.slice(at + count)];
    case 4:
      return [...bytes.slice(0, at), ...random.bytes(count), ...bytes.slice(at)];
    default:
      // A part of the packet once more: duplicate properties, filters, pairs.
      return [...bytes.slice(0, at), ...bytes.slice(at - Math.min(at, 2 + count))];
  }
}

/** Corrects the remaining length, so that the damage lies within the body. */
function withRightLength(bytes: Uint8Array): Uint8Array {
  const length = readVariableByteInteger(bytes, 1, bytes.length);
  if (length < 0) return bytes;
  const body = bytes.subarray(1 + variableByteIntegerSize(length));
  const fixed = new Uint8Array(1 + variableByteIntegerSize(body.length) + body.length);
  fixed[0] = bytes[0] as number;
  fixed.set(body, writeVariableByteInteger(fixed, 1, body.length));
  return fixed;
}
