import { describe, expect, test } from 'vitest';
import type { Command, CommandResult } from './command.ts';
import type { LeaseId } from './identifiers.ts';
import { prefixRange, singleKeyRange } from './keys.ts';
import { DEFAULT_STATE_MACHINE_LIMITS, type StateMachineLimits } from './limits.ts';
import { MemoryRecords } from './memory-records.ts';
import { keyRecordRange } from './record-layout.ts';
import { applyCommand, rangesOf } from './state-machine.ts';
import { metaOf, storedBytes } from './store-meta.ts';
import { announcedRecords } from './testing/announced-records.ts';
import type { Operation } from './transaction.ts';

const LIMITS: StateMachineLimits = {
  ...DEFAULT_STATE_MACHINE_LIMITS,
  touchedKeysMax: 4,
  touchedBytesMax: 1000,
};
const LEASE = 1 as LeaseId;

function perform(records: MemoryRecords, command: Command): CommandResult {
  const reader = announcedRecords(records, rangesOf(command), LIMITS);
  const { writes, result } = applyCommand(reader, command, LIMITS);
  records.apply(writes);
  return result;
}

function transact(then: readonly Operation[], otherwise: readonly Operation[] = []): Command {
  return { kind: 'transact', transaction: { compare: [], then, otherwise, requestId: null } };
}

function put(key: string, bytes: number, lease: LeaseId | null): Operation {
  return { kind: 'put', key, value: new Uint8Array(bytes), lease };
}

/** The keys k0, k1 and so on, and one beside them. */
function filled(count: number, bytes = 1, lease: LeaseId | null = null): MemoryRecords {
  const records = new MemoryRecords();
  perform(records, { kind: 'grantLease', id: LEASE, ttlSeconds: 9, requestId: null });
  for (let at = 0; at < count; at += 1) perform(records, transact([put(`k${at}`, bytes, lease)]));
  perform(records, transact([put('other', 1, null)]));
  return records;
}

function keysIn(records: MemoryRecords): number {
  return [...records.range(keyRecordRange(prefixRange('k')))].length;
}

const RANGE = prefixRange('k');
const remove: Operation = { kind: 'delete', range: RANGE };
const count: Operation = { kind: 'range', range: RANGE, limit: 0, content: 'count' };
const two: Operation = { kind: 'range', range: RANGE, limit: 2, content: 'keys' };

describe('a transaction', () => {
  for (const { why, keys, bytes, then, otherwise, refused } of [
    {
      why: 'deletes as many as it may',
      keys: 4,
      bytes: 1,
      then: [remove],
      otherwise: [],
      refused: false,
    },
    { why: 'deletes more', keys: 5, bytes: 1, then: [remove], otherwise: [], refused: true },
    { why: 'counts more', keys: 5, bytes: 1, then: [count], otherwise: [], refused: true },
    { why: 'reads a few of more', keys: 9, bytes: 1, then: [two], otherwise: [], refused: false },
    {
      why: 'reads a few again and again',
      keys: 9,
      bytes: 1,
      then: [two, two],
      otherwise: [],
      refused: true,
    },
    {
      why: 'names more in both branches',
      keys: 3,
      bytes: 1,
      then: [count],
      otherwise: [remove],
      refused: true,
    },
    {
      why: 'deletes long values',
      keys: 3,
      bytes: 400,
      then: [remove],
      otherwise: [],
      refused: true,
    },
    {
      why: 'reads long values one by one',
      keys: 3,
      bytes: 400,
      then: ['k0', 'k1', 'k2'].map(
        (key): Operation => ({ ...two, range: singleKeyRange(key) }) as Operation,
      ),
      otherwise: [],
      refused: true,
    },
    {
      why: 'deletes two long values one by one',
      keys: 2,
      bytes: 400,
      then: ['k0', 'k1'].map((key): Operation => ({ kind: 'delete', range: singleKeyRange(key) })),
      otherwise: [],
      refused: false,
    },
  ]) {
    test(`that ${why} is ${refused ? 'refused, and changes nothing' : 'carried out'}`, () => {
      const records = filled(keys, bytes);
      const before = records.digest();
      const result = perform(records, transact(then, otherwise));
      const refusal = { code: 'TOO_MANY_KEYS', limit: 4, bytesLimit: 1000 };
      if (!refused) return expect(result.kind).toBe('transacted');
      expect(result).toEqual({ kind: 'refused', refusal });
      expect(records.digest()).toBe(before);
    });
  }
});

describe('a lease with more keys than one command touches', () => {
  const revoke: Command = { kind: 'revokeLease', id: LEASE, reason: 'asked' };

  for (const { why, bytes, pieces } of [
    { why: 'many keys', bytes: 1, pieces: [4, 4, 2] },
    { why: 'long values', bytes: 400, pieces: [3, 3, 3, 1] },
    {
      why: 'values that are too long each',
      bytes: 2000,
      pieces: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0],
    },
  ]) {
    test(`loses them in pieces, and lives no more after the first: ${why}`, () => {
      const records = filled(10, bytes, LEASE);
      const revision = metaOf(records).revision;
      for (const [at, deleted] of pieces.entries()) {
        const more = at < pieces.length - 1;
        const done = revision + Math.min(at + 1, pieces.filter((each) => each > 0).length);
        expect(perform(records, revoke)).toEqual({
          kind: 'leaseRevoked',
          revision: done,
          deleted,
          more,
        });
        expect(metaOf(records).leases).toBe(more ? 1 : 0);
        expect(perform(records, transact([put('k', 1, LEASE)]))).toMatchObject({
          refusal: { code: 'LEASE_NOT_FOUND' },
        });
      }
      expect(keysIn(records)).toBe(0);
      expect(perform(records, revoke)).toMatchObject({ refusal: { code: 'LEASE_NOT_FOUND' } });
      perform(records, transact([{ kind: 'delete', range: singleKeyRange('other') }]));
      perform(records, { kind: 'compact', revision: metaOf(records).revision });
      expect(storedBytes(metaOf(records))).toBe(0);
    });
  }
});
