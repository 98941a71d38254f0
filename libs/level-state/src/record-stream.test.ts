import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import { RecordStreamDamaged, RecordStreamReader, RecordStreamWriter } from './record-stream.ts';

const NAME = 'RMQTEST\u0001';

type Record = readonly [key: string, value: Uint8Array];

function bytesOf(records: readonly Record[]): Uint8Array {
  const writer = new RecordStreamWriter(NAME);
  const pieces: Uint8Array[] = [];
  for (const [key, value] of records) {
    const piece = writer.add(key, value);
    if (piece !== null) pieces.push(piece);
  }
  return Buffer.concat([...pieces, writer.end()]);
}

function read(bytes: Uint8Array, size: number): Record[] {
  const reader = new RecordStreamReader(NAME);
  const found: Record[] = [];
  for (let at = 0; at < bytes.length; at += size)
    found.push(...reader.push(bytes.subarray(at, at + size)));
  reader.end();
  return found;
}

function records(count: number, bytesMax: number): readonly Record[] {
  const random = new SeededRandom(count);
  return Array.from({ length: count }, (_, i) => {
    const value = new Uint8Array(random.below(bytesMax));
    random.fill(value);
    return [`\u{e9}${i}`, value] as const;
  });
}

function plain(found: readonly Record[]): readonly unknown[] {
  return found.map(([key, value]) => [key, [...value]]);
}

describe('a stream of records', () => {
  test.each([
    { count: 0, bytesMax: 1, sizes: [1, 100] },
    { count: 30, bytesMax: 40, sizes: [1, 7, 1000] },
    { count: 40, bytesMax: 20_000, sizes: [4096, 10_000_000] },
  ])('of $count comes back from pieces of any size', ({ count, bytesMax, sizes }) => {
    const written = records(count, bytesMax);
    for (const size of sizes) expect(plain(read(bytesOf(written), size))).toEqual(plain(written));
  });

  test('with a value larger than a block comes back', () => {
    const written = [['a', new Uint8Array(4_000_000).fill(3)] as const];
    expect(read(bytesOf(written), 65_536)[0]?.[1]).toHaveLength(4_000_000);
  });

  test('notices every changed byte and every cut', () => {
    const bytes = bytesOf(records(20, 30));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(() => read(changed, 50)).toThrow(RecordStreamDamaged);
      expect(() => read(bytes.subarray(0, at), 50)).toThrow(RecordStreamDamaged);
    }
    expect(() => read(Buffer.concat([bytes, Uint8Array.of(0)]), 50)).toThrow(RecordStreamDamaged);
  });

  test('notices a whole block that is missing', () => {
    const writer = new RecordStreamWriter(NAME);
    const first = writer.add('a', new Uint8Array(200_000));
    const second = writer.add('b', new Uint8Array(200_000));
    const end = writer.end();
    if (first === null || second === null) throw new Error('no blocks');
    expect(read(Buffer.concat([first, second, end]), 1000)).toHaveLength(2);
    expect(() => read(Buffer.concat([first, end]), 1000)).toThrow('1 of 2');
  });
});
