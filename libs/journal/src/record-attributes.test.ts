import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingIndex } from './growing-index.ts';
import { attributeHash } from './attribute-index.ts';
import type { Offset } from './journal.ts';
import { PackedIndex } from './packed-index.ts';
import { INDEXED_ATTRIBUTES, type RecordAttributes } from './record-attributes.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';
import { isWellFormed, RecordBatchReader, recordsOf } from './record-batch-reader.ts';
import { BATCH_HEADER_BYTES, inspectBatch } from './record-batch.ts';
import { isWanted } from './wanted-records.ts';

const encoder = new TextEncoder();
const topic = encoder.encode('a/b');

const anAttribute = fc.record(
  {
    key: fc.uint8Array({ maxLength: 5 }),
    sender: fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => text.toWellFormed()),
    messageId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    headers: fc.array(
      fc.record({
        name: fc.string({ maxLength: 10 }).map((text) => text.toWellFormed()),
        value: fc.uint8Array({ maxLength: 20 }),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);

function batchOf(all: readonly RecordAttributes[], base: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const [i, attributes] of all.entries()) {
    builder.beginRecord(1, topic, 0, topic.length);
    builder.attach(attributes);
    builder.bytes[builder.reserve(1)] = i;
    builder.endRecord();
  }
  return builder.seal(base as Offset, 5).bytes.slice();
}

function bytesIn(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

describe('attributes of a record', () => {
  test('come back as they were attached', () => {
    fc.assert(
      fc.property(fc.array(anAttribute, { minLength: 1, maxLength: 8 }), (all) => {
        const bytes = batchOf(all, 7);
        expect(inspectBatch(bytes, 0, bytes.length)).toBe('valid');
        expect(isWellFormed(bytes, 0)).toBe(true);
        const records = recordsOf(bytes);
        expect(records.map(({ body }) => body[0])).toEqual(all.map((_, i) => i));
        for (const [i, { attributes }] of records.entries()) {
          const expected = all[i] as RecordAttributes;
          expect(attributes).toEqual(Object.keys(expected).length === 0 ? undefined : expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('do not change the bytes of a batch without any: files of before are read', () => {
    const before = bytesIn(`
      524d4a42 16b8eb81 00000000 00000000 38000000 01000000 0500000000000000 e803000000000000
      01 000000 0c000000 0100 02 00 61 686969`);
    const builder = new RecordBatchBuilder();
    builder.add(2, encoder.encode('a'), 0, 1, encoder.encode('hii'));
    expect(Buffer.from(builder.seal(5 as Offset, 1000).bytes).toString('hex')).toBe(
      Buffer.from(before).toString('hex'),
    );
    expect(recordsOf(before)).toEqual([
      { offset: 5, appendedAtMs: 1000, kind: 2, topic: 'a', body: encoder.encode('hii') },
    ]);
  });

  test('stand in the record as documented', () => {
    const builder = new RecordBatchBuilder();
    builder.beginRecord(2, encoder.encode('a'), 0, 1);
    builder.attach({
      key: encoder.encode('k1'),
      sender: 'me',
      messageId: Uint8Array.from({ length: 16 }, (_, i) => i),
      headers: [{ name: 'n', value: encoder.encode('vw') }],
    });
    builder.endRecord();
    const { bytes } = builder.seal(0 as Offset, 0);
    expect(bytes[40]).toBe(2);
    expect(Buffer.from(bytes.subarray(BATCH_HEADER_BYTES)).toString('hex')).toBe(
      Buffer.from(
        bytesIn(`
          30000000 0100 02 0f 61 0200 6b31 0200 6d65 000102030405060708090a0b0c0d0e0f
          0b000000 0100 0100 6e 02000000 7677`),
      ).toString('hex'),
    );
  });

  test('that do not fit their record end the batch, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(255), (noise, flags) => {
        const bytes = batchOf([{}], 0);
        const record = BATCH_HEADER_BYTES;
        const target = new Uint8Array(bytes.length + noise.length);
        target.set(bytes);
        target.set(noise, record + 8 + topic.length);
        new DataView(target.buffer).setUint32(16, target.length, true);
        new DataView(target.buffer).setUint32(record, target.length - record, true);
        target[record + 7] = flags;
        const reader = new RecordBatchReader();
        reader.open(target, 0);
        if (reader.next()) {
          expect(reader.bodyStart + reader.bodyLength).toBe(target.length);
          reader.record();
        } else expect(isWellFormed(target, 0)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('are found through an index that grows, and a packed one, as by looking at each record', () => {
    fc.assert(
      fc.property(fc.array(anAttribute, { minLength: 1, maxLength: 60 }), (all) => {
        const growing = new GrowingIndex(100);
        const batches = [all.slice(0, 20), all.slice(20)].filter(({ length }) => length > 0);
        let base = 100;
        for (const batch of batches) {
          growing.addBatch(batchOf(batch, base), 0, base);
          base += batch.length;
        }
        const packed = PackedIndex.open(PackedIndex.pack(growing, 100, 9).bytes, 100, 9);
        for (const attribute of INDEXED_ATTRIBUTES) {
          for (const { [attribute]: given } of all) {
            if (given === undefined) continue;
            const value = typeof given === 'string' ? encoder.encode(given) : given;
            const expected = all.flatMap((each, i) =>
              wants(each, { kind: 'attribute', attribute, value }) ? [i] : [],
            );
            const hash = attributeHash(value, 0, value.length);
            for (const index of [growing, packed as PackedIndex]) {
              const found = index.collectAttribute(attribute, hash, 0);
              expect(found.after).toBe(all.length);
              // Two values with one hash do not occur in so small a sample.
              expect([...found.ordinals]).toEqual(expected);
              const later = index.collectAttribute(attribute, hash, 3);
              expect([...later.ordinals]).toEqual(expected.filter((ordinal) => ordinal >= 3));
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

function wants(attributes: RecordAttributes, selector: Parameters<typeof isWanted>[1]): boolean {
  const reader = new RecordBatchReader();
  reader.open(batchOf([attributes], 0), 0);
  return reader.next() && isWanted(reader, selector);
}
