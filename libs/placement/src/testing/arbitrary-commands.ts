/** Commands over few keys, leases and request ids, so that they meet. */
import fc from 'fast-check';
import type { Command } from '../command.ts';
import type { LeaseId, Revision } from '../identifiers.ts';
import type { KeyRange } from '../key-value.ts';
import { singleKeyRange } from '../keys.ts';
import type { Comparison, Operation, Transaction } from '../transaction.ts';

export const KEYS = ['a', 'a\0', 'a/1', 'a/2', 'b', '\u{e000}', '\u{1f600}', '\u{ffff}x'] as const;

function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

const key = fc.constantFrom(...KEYS);
const value = fc.uint8Array({ maxLength: 4 });
const requestId = seldom(fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'));
const lease = seldom(fc.integer({ min: 1, max: 3 })) as fc.Arbitrary<LeaseId | null>;
const relation = fc.constantFrom('equal', 'notEqual', 'less', 'greater');

const range: fc.Arbitrary<KeyRange> = fc.oneof(
  key.map(singleKeyRange),
  fc.record({
    first: fc.oneof(fc.constant(''), key),
    after: fc.option(key, { freq: 3 }),
  }),
);

const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({
    target: fc.constantFrom('version', 'createRevision', 'modRevision'),
    key,
    relation,
    number: fc.integer({ min: 0, max: 12 }),
  }),
  fc.record({ target: fc.constant('value' as const), key, relation, value }),
  fc.record({ target: fc.constant('lease' as const), key, lease }),
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, lease }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), range }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('range' as const),
      range,
      limit: fc.integer({ min: 0, max: 4 }),
      content: fc.constantFrom('whole', 'keys', 'count'),
    }),
  },
);

export const arbitraryTransaction: fc.Arbitrary<Transaction> = fc.record({
  compare: fc.oneof(fc.constant([]), fc.array(comparison, { maxLength: 2 })),
  then: fc.array(operation, { minLength: 1, maxLength: 4 }),
  otherwise: fc.array(operation, { maxLength: 3 }),
  requestId,
});

export const arbitraryCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('transact' as const),
      transaction: arbitraryTransaction,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('grantLease' as const),
      id: lease,
      ttlSeconds: fc.integer({ min: 1, max: 60 }),
      requestId,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('revokeLease' as const),
      id: fc.integer({ min: 1, max: 3 }) as unknown as fc.Arbitrary<LeaseId>,
      reason: fc.constantFrom('asked', 'expired'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      revision: fc.integer({ min: 0, max: 20 }) as unknown as fc.Arbitrary<Revision>,
    }),
  },
);
