import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Offset } from './journal.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { RecordBatchReader, recordsOf } from './record-batch-reader.ts';
import { BATCH_HEADER_BYTES, batchLengthAt, inspectBatch } from './record-batch.ts';

const encoder = new TextEncoder();
const BASE = (2 ** 40 + 5) as Offset;

const sample = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  topic: fc.string({ maxLength: 200, unit: 'grapheme' }),
  body: fc.uint8Array({ maxLength: 300 }),
});

describe('a record batch', () => {
  test('comes back as it was built', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 50 }), (samples) => {
        const builder = new RecordBatchBuilder();
        for (const { kind, topic, body } of samples) {
          const bytes = encoder.encode(`__${topic}`);
          builder.add(kind, bytes, 2, bytes.length - 2, body.subarray(0, 3), body.subarray(3));
        }
        const batch = builder.seal(BASE, 1_700_000_000_123);
        expect(batch.recordCount).toBe(samples.length);
        expect(inspectBatch(batch.bytes, 0, batch.bytes.length)).toBe('valid');
        const expected = samples.map(({ kind, topic, body }, i) => ({
          offset: BASE + i,
          appendedAtMs: 1_700_000_000_123,
          kind,
          topic: topic.toWellFormed(),
          body,
        }));
        expect(recordsOf(batch.bytes)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('keeps the positions of bodies that were written in place, while the buffer grows', () => {
    const builder = new RecordBatchBuilder();
    const topic = encoder.encode('topic');
    const positions: number[] = [];
    for (let i = 0; i < 5000; i += 1) {
      builder.beginRecord(7, topic, 0, topic.length);
      const at = builder.reserve(20);
      builder.bytes.fill(i & 0xff, at, at + 20);
      positions.push(at);
      builder.endRecord();
    }
    const { bytes } = builder.seal(BASE, 1);
    const reader = new RecordBatchReader();
    reader.open(bytes, 0);
    for (const [i, at] of positions.entries()) {
      expect(reader.next()).toBe(true);
      expect([reader.bodyStart, reader.bodyLength, bytes[at]]).toEqual([at, 20, i & 0xff]);
    }
    expect(reader.next()).toBe(false);
  });

  test('does not contain an abandoned record', () => {
    const builder = new RecordBatchBuilder();
    const topic = encoder.encode('topic');
    builder.add(1, topic, 0, 5, topic);
    builder.beginRecord(2, topic, 0, 5);
    builder.reserve(100_000);
    builder.abandonRecord();
    builder.add(3, topic, 0, 5, topic);
    const records = recordsOf(builder.seal(BASE, 1).bytes);
    expect(records.map((record) => record.kind)).toEqual([1, 3]);
  });

  test('that was recycled does not disturb the next one', () => {
    const builder = new RecordBatchBuilder();
    const topic = encoder.encode('topic');
    for (let round = 0; round < 20; round += 1) {
      builder.add(round, topic, 0, 5, new Uint8Array(round * 1000));
      const batch = builder.seal(BASE, 1);
      expect(recordsOf(batch.bytes)[0]?.kind).toBe(round);
      expect(batchLengthAt(batch.bytes, 0)).toBe(batch.bytes.length);
      builder.recycle(batch.bytes);
    }
  });

  test('with any byte changed is not valid, the fields of the medium apart', () => {
    const builder = new RecordBatchBuilder();
    builder.add(1, encoder.encode('topic'), 0, 5, encoder.encode('body'));
    const { bytes } = builder.seal(BASE, 1);
    for (let position = 0; position < bytes.length; position += 1) {
      if (position >= 8 && position < 16) continue;
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = bytes.slice();
        changed[position] = (changed[position] as number) ^ (1 << bit);
        expect(inspectBatch(changed, 0, changed.length)).not.toBe('valid');
      }
    }
  });

  test('cut anywhere is short, and any bytes at all are inspected without throwing', () => {
    const builder = new RecordBatchBuilder();
    builder.add(1, encoder.encode('topic'), 0, 5, encoder.encode('body'));
    const { bytes } = builder.seal(BASE, 1);
    for (let length = BATCH_HEADER_BYTES; length < bytes.length; length += 1) {
      expect(inspectBatch(bytes, 0, length)).toBe('short');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(inspectBatch(noise, 0, noise.length)).not.toBe('valid');
      }),
    );
  });
});
