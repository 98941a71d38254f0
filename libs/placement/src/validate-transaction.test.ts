import { describe, expect, test } from 'vitest';
import { encodeCommand } from './command-codec.ts';
import type { LeaseId } from './identifiers.ts';
import { prefixRange, singleKeyRange } from './keys.ts';
import { DEFAULT_COMMAND_LIMITS, LEASE_TTL_SECONDS_MAX } from './limits.ts';
import type { Comparison, Operation, PutOperation, Transaction } from './transaction.ts';
import { validateRange, validateTransaction, validateTtl } from './validate-transaction.ts';

const LIMITS = DEFAULT_COMMAND_LIMITS;

function put(key: string, bytes = 0): PutOperation {
  return { kind: 'put', key, value: new Uint8Array(bytes), lease: null };
}

function transaction(changes: Partial<Transaction>): Transaction {
  return { compare: [], then: [], otherwise: [], requestId: null, ...changes };
}

function problemOf(changes: Partial<Transaction>): string | null {
  return validateTransaction(transaction(changes), LIMITS)?.detail ?? null;
}

function many<Value>(count: number, valueOf: (at: number) => Value): Value[] {
  return Array.from({ length: count }, (_, at) => valueOf(at));
}

const version = (key: string, number = 0): Comparison => ({
  target: 'version',
  key,
  relation: 'equal',
  number,
});

const valid: readonly { why: string; changes: Partial<Transaction> }[] = [
  { why: 'nothing at all', changes: {} },
  { why: 'the longest key', changes: { then: [put('k'.repeat(66_000))] } },
  {
    why: 'the deletion of the longest key',
    changes: { then: [{ kind: 'delete', range: singleKeyRange('k'.repeat(66_000)) }] },
  },
  { why: 'the largest value', changes: { otherwise: [put('k', 1_048_576)] } },
  { why: 'as many operations as may be', changes: { then: many(1024, (at) => put(`k${at}`)) } },
  { why: 'the longest request id', changes: { requestId: '\u{e9}'.repeat(32) } },
  { why: 'one key in both branches', changes: { then: [put('k')], otherwise: [put('k')] } },
  {
    why: 'deletions that overlap',
    changes: {
      then: [
        { kind: 'delete', range: prefixRange('a') },
        { kind: 'delete', range: singleKeyRange('a') },
      ],
    },
  },
];

const invalid: readonly { why: string; changes: Partial<Transaction>; says: string }[] = [
  { why: 'an empty key', changes: { then: [put('')] }, says: 'at least one' },
  { why: 'a lone surrogate', changes: { otherwise: [put('a\udc00')] }, says: 'surrogates' },
  {
    why: 'a key too long in bytes',
    changes: { then: [put('\u{e9}'.repeat(33_001))] },
    says: '66002',
  },
  {
    why: 'a compared key too long',
    changes: { compare: [version('k'.repeat(66_001))] },
    says: '66001',
  },
  { why: 'a value too large', changes: { then: [put('k', 1_048_577)] }, says: '1048577' },
  {
    why: 'too many operations',
    changes: { otherwise: many(1025, (at) => put(`k${at}`)) },
    says: '1025',
  },
  {
    why: 'too many comparisons',
    changes: { compare: many(1025, () => version('k')) },
    says: '1025',
  },
  {
    why: 'too much in all',
    changes: { then: many(5, (at) => put(`k${at}`, 900_000)) },
    says: 'bytes',
  },
  { why: 'an empty request id', changes: { requestId: '' }, says: 'request id' },
  { why: 'a long request id', changes: { requestId: 'x'.repeat(65) }, says: 'request id' },
  { why: 'a key put twice', changes: { then: [put('k'), put('l'), put('k')] }, says: '"k"' },
  {
    why: 'a key put and deleted',
    changes: { then: [put('ab'), { kind: 'delete', range: prefixRange('a') }] },
    says: '"ab"',
  },
  { why: 'a negative number', changes: { compare: [version('k', -1)] }, says: '-1' },
  { why: 'a fraction', changes: { compare: [version('k', 1.5)] }, says: '1.5' },
  {
    why: 'a lease without an id',
    changes: { then: [{ ...put('k'), lease: 0 as LeaseId }] },
    says: 'lease',
  },
  {
    why: 'a negative limit',
    changes: { then: [{ kind: 'range', range: prefixRange(''), limit: -1, content: 'keys' }] },
    says: 'limit',
  },
  {
    why: 'a bound with a lone surrogate',
    changes: { then: [{ kind: 'delete', range: { first: 'a', after: '\ud800' } }] },
    says: 'surrogates',
  },
];

describe('a transaction', () => {
  for (const { why, changes } of valid) {
    test(`with ${why} is valid`, () => expect(problemOf(changes)).toBeNull());
  }

  for (const { why, changes, says } of invalid) {
    test(`with ${why} is refused with a sentence`, () => {
      const fault = validateTransaction(transaction(changes), LIMITS);
      expect(fault).toEqual({ code: 'PLACEMENT_INVALID', detail: expect.stringContaining(says) });
    });
  }

  test('that is valid is never longer encoded than the limit', () => {
    const operations: Operation[] = [
      ...many(500, (at) => put(`k${at}`, 300)),
      { kind: 'range', range: prefixRange('r'.repeat(1000)), limit: 5, content: 'keys' },
    ];
    const compare = many(700, (at) => version(`c${at}`));
    const whole = transaction({ compare, then: operations, otherwise: operations });
    const { length } = encodeCommand({ kind: 'transact', transaction: whole });
    expect(validateTransaction(whole, { ...LIMITS, commandBytesMax: length - 1 })).not.toBeNull();
  });
});

describe('ranges and times', () => {
  test('a range may begin at the empty key and end anywhere', () => {
    expect(validateRange({ first: '', after: null }, LIMITS)).toBeNull();
    expect(validateRange({ first: 'b', after: 'a' }, LIMITS)).toBeNull();
    expect(validateRange({ first: 'x'.repeat(66_001), after: null }, LIMITS)).not.toBeNull();
  });

  test.each([1, 60, LEASE_TTL_SECONDS_MAX])('a lease may live %d seconds', (ttlSeconds) => {
    expect(validateTtl(ttlSeconds)).toBeNull();
  });

  test.each([0, -1, 0.5, Number.NaN, LEASE_TTL_SECONDS_MAX + 1])(
    'a lease may not live %d seconds',
    (ttlSeconds) => {
      expect(validateTtl(ttlSeconds)?.code).toBe('PLACEMENT_INVALID');
    },
  );
});
