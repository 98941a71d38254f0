import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InboundReceipts } from './inbound-receipts.ts';

describe('receipts of QoS 2 messages', () => {
  test('are remembered until they are released (MQTT-5.0 [MQTT-4.3.3-10], [MQTT-4.3.3-12])', () => {
    const receipts = new InboundReceipts();
    receipts.add(7);
    receipts.add(7);
    expect([receipts.count, receipts.has(7), receipts.has(8)]).toEqual([1, true, false]);
    expect([receipts.release(7), receipts.release(7), receipts.count]).toEqual([true, false, 0]);
  });

  test('agree with a plain set, however many there are', () => {
    const identifier = fc.integer({ min: 1, max: 65_535 });
    const change = fc.tuple(fc.boolean(), identifier);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 700 }), (changes) => {
        const receipts = new InboundReceipts();
        const model = new Set<number>();
        for (const [adds, id] of changes) {
          // Few releases hit by chance, so some are aimed.
          const aimed = adds ? id : ([...model][id % Math.max(1, model.size)] ?? id);
          if (adds) {
            receipts.add(aimed);
            model.add(aimed);
          } else expect(receipts.release(aimed)).toBe(model.delete(aimed));
        }
        expect(receipts.count).toBe(model.size);
        expect([...receipts.identifiers()].sort((a, b) => a - b)).toEqual(
          [...model].sort((a, b) => a - b),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('take all identifiers that there are, and let them all go', () => {
    const receipts = new InboundReceipts();
    for (let id = 1; id <= 65_535; id += 1) receipts.add(id);
    expect(receipts.count).toBe(65_535);
    for (let id = 1; id <= 65_535; id += 1) expect(receipts.release(id)).toBe(true);
    receipts.add(65_535);
    expect(receipts.identifiers()).toEqual([65_535]);
  });
});
