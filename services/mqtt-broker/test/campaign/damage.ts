/** Damage to packets, as networks and attackers do it. */
import type { SeededRandom } from '@robustmq/environment';

/** Bytes that mean something somewhere: ends of ranges, property identifiers, parts of UTF-8. */
const TELLING = [0, 1, 2, 0x0b, 0x11, 0x22, 0x26, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xed, 0xf5, 0xff];
const LENGTH_FIELD_MAX = 4;

/** A damaged copy; in most cases with a remaining length that fits, so that the damage is inside. */
export function damaged(packet: Uint8Array, random: SeededRandom): Uint8Array {
  let bytes = Buffer.from(packet);
  for (let times = 1 + random.below(3); times > 0; times -= 1) bytes = damageOnce(bytes, random);
  return random.below(4) === 0 ? bytes : withTrueLength(bytes);
}

function damageOnce(bytes: Buffer, random: SeededRandom): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const span = 1 + random.below(6);
  const head = bytes.subarray(0, at);
  switch (random.below(7)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = TELLING[random.below(TELLING.length)] ?? 0;
      return copy;
    }
    case 2:
      return Buffer.from(head);
    case 3:
      return Buffer.concat([head, bytes.subarray(at + span)]);
    case 4: {
      const added = new Uint8Array(span);
      random.fill(added);
      return Buffer.concat([head, added, bytes.subarray(at)]);
    }
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - span * 3))]);
    default:
      return Buffer.concat([head, Buffer.alloc(span, 0xff), bytes.subarray(at)]);
  }
}

/** Writes the remaining length anew (MQTT-5.0 §2.1.4). */
function withTrueLength(bytes: Buffer): Uint8Array {
  let after = 1;
  while (after <= LENGTH_FIELD_MAX && ((bytes[after] ?? 0) & 0x80) !== 0) after += 1;
  const body = bytes.subarray(after + 1);
  const length: number[] = [];
  for (let left = body.length; ; left >>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([bytes.subarray(0, 1), Uint8Array.from(length), body]);
}
