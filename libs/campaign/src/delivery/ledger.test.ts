import { describe, expect, test } from 'vitest';
import { Ledger, OUTCOME } from './ledger.ts';
import { payloadOf, sequenceOf } from './payload.ts';

/** Publishes `count` acknowledged messages on the topic `t`, then delivers these sequence numbers. */
function ledgerWith(kind: {
  readonly qos: 1 | 2;
  readonly count: number;
  readonly delivered: readonly number[];
}): Ledger {
  const ledger = new Ledger();
  const stream = ledger.openStream('t', { qos: kind.qos, retain: true });
  ledger.openAccount('s', 'subscriber');
  for (let sequence = 1; sequence <= kind.count; sequence += 1) {
    stream.published = sequence;
    stream.outcomes[sequence] = OUTCOME.acknowledged;
  }
  for (const sequence of kind.delivered) ledger.deliver('s', 't', sequence);
  return ledger;
}

describe('the delivery ledger', () => {
  const rows = [
    // QoS  published  delivered        finding              count  why
    [1, 3, [1, 2, 3], 'lost', 0, 'all there'],
    [1, 3, [1, 3], 'lost', 1, 'a hole is a loss'],
    [1, 3, [1, 2, 1, 2, 3], 'reordered', 0, 'repetitions of QoS 1 are no disorder'],
    [1, 3, [1, 2, 1, 2, 3], 'repeatedQos1', 2, 'and are counted apart'],
    [1, 3, [1, 3, 2], 'reordered', 1, 'a first delivery behind a later one'],
    [2, 2, [1, 2, 2], 'duplicatedQos2', 1, 'QoS 2 comes once'],
    [1, 2, [1, 2, 3], 'corrupted', 1, 'nobody published number 3'],
  ] as const;

  for (const [qos, count, delivered, finding, expected, why] of rows) {
    test(why, () => {
      expect(ledgerWith({ qos, count, delivered }).figures()[finding]).toBe(expected);
    });
  }

  test('demands the newest acknowledged message to be retained, or a newer one', () => {
    const ledger = ledgerWith({ qos: 1, count: 3, delivered: [] });
    const floors = ledger.retainedFloors();
    ledger.checkRetained(floors, new Map([['t', 3]]));
    ledger.checkRetained(floors, new Map([['t', 4]]));
    expect(ledger.figures().retainedWrong).toBe(0);
    ledger.checkRetained(floors, new Map([['t', 2]]));
    ledger.checkRetained(floors, new Map());
    expect(ledger.figures().retainedWrong).toBe(2);
  });

  test('owes a will of whoever vanishes and none of whoever says goodbye', () => {
    const ledger = new Ledger();
    ledger.expectWill('vanished', 'published');
    ledger.expectWill('polite', 'discarded');
    ledger.receiveWill('polite');
    expect(ledger.figures()).toMatchObject({ willsLost: 1, willsUnasked: 1 });
  });
});

describe('a payload', () => {
  test('tells its sequence number', () => {
    expect(sequenceOf('a/b', payloadOf('a/b', 7, 20))).toBe(7);
  });

  test('is recognised on another topic, changed or cut short', () => {
    const payload = payloadOf('a/b', 7, 20);
    expect(sequenceOf('a/c', payload)).toBeNull();
    expect(sequenceOf('a/b', payload.subarray(0, 20))).toBeNull();
    payload[15] = (payload[15] as number) ^ 1;
    expect(sequenceOf('a/b', payload)).toBeNull();
  });
});
