import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, CommandResult } from './command.ts';
import { decodeCommand, encodeCommand } from './command-codec.ts';
import { eventsFromHistory } from './history.ts';
import type { LeaseId, Revision } from './identifiers.ts';
import type { KeyValue } from './key-value.ts';
import { ALL_KEYS, prefixRange, singleKeyRange } from './keys.ts';
import { DEFAULT_STATE_MACHINE_LIMITS, type StateMachineLimits } from './limits.ts';
import { MemoryRecords } from './memory-records.ts';
import {
  attachmentRecordRange,
  decodeKeyValue,
  historyRecordRange,
  keyRecordRange,
  LEASE_RECORDS,
  recordedKey,
  recordedLease,
} from './record-layout.ts';
import { type AppliedCommand, applyCommand, rangesOf } from './state-machine.ts';
import { metaOf, storedBytes } from './store-meta.ts';
import { announcedRecords } from './testing/announced-records.ts';
import { arbitraryCommand } from './testing/arbitrary-commands.ts';
import { NaiveStore } from './testing/naive-store.ts';
import type { Operation } from './transaction.ts';

const LIMITS: StateMachineLimits = {
  ...DEFAULT_STATE_MACHINE_LIMITS,
  historyRevisionsMax: 16,
  leasesMax: 4,
  outcomesMax: 3,
};

function perform(
  records: MemoryRecords,
  command: Command,
  limits: StateMachineLimits,
): AppliedCommand {
  const reader = announcedRecords(records, rangesOf(command), limits);
  const applied = applyCommand(reader, command, limits);
  records.apply(applied.writes);
  return applied;
}

function keyValuesOf(records: MemoryRecords): readonly KeyValue[] {
  return [...records.range(keyRecordRange(ALL_KEYS))].map(([record, value]) =>
    decodeKeyValue(recordedKey(record), value),
  );
}

function historyOf(records: MemoryRecords): ReturnType<typeof eventsFromHistory> {
  return eventsFromHistory(records.range(historyRecordRange(0 as Revision, null)));
}

function copied(records: MemoryRecords): MemoryRecords {
  const copy = new MemoryRecords();
  for (const [key, value] of records) copy.put(key, value);
  return copy;
}

function expectSame(records: MemoryRecords, naive: NaiveStore): void {
  const meta = metaOf(records);
  expect([meta.revision, meta.compactedRevision]).toEqual([naive.revision, naive.compacted]);
  expect(keyValuesOf(records)).toEqual(naive.keyValues);
  expect(meta.keys).toBe(naive.keyValues.length);
  expect([...records.range(LEASE_RECORDS)].map(([record]) => recordedLease(record))).toEqual(
    naive.leases,
  );
  expect(meta.leases).toBe(naive.leases.length);
  expect(historyOf(records)).toEqual(naive.history);
  const attached = naive.keyValues.filter((each) => each.lease !== null);
  expect([...records.range(prefixRange('a'))]).toHaveLength(attached.length);
}

describe('the state machine', () => {
  test('does what the plainest store does, command by command', () => {
    const histories = fc.array(arbitraryCommand, { minLength: 1, maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(histories, fc.constantFrom(2, 4, 100), (commands, touchedKeysMax) => {
        const limits = { ...LIMITS, touchedKeysMax };
        const records = new MemoryRecords();
        const naive = new NaiveStore(limits);
        for (const command of commands) {
          const { result, revision, events } = perform(records, command, limits);
          expect(result).toEqual(naive.apply(command));
          expect(revision).toBe(naive.revision);
          if (events.length > 0) expect(naive.history.at(-1)).toEqual({ revision, events });
        }
        expectSame(records, naive);
      }),
      { numRuns: 400 },
    );
  });

  test('comes to the same records on every member, over the log and over a snapshot', () => {
    const histories = fc.array(arbitraryCommand, { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(histories, fc.nat(59), (commands, place) => {
        const first = new MemoryRecords();
        let second = new MemoryRecords();
        for (const [at, command] of commands.entries()) {
          perform(first, command, LIMITS);
          const decoded = decodeCommand(encodeCommand(command));
          if (!decoded.ok) throw new Error(decoded.fault.detail);
          perform(second, decoded.value, LIMITS);
          if (at === place) second = copied(second);
        }
        expect(second.digest()).toBe(first.digest());
      }),
      { numRuns: 150 },
    );
  });

  test('a store emptied again counts no bytes but its history', () => {
    const histories = fc.array(arbitraryCommand, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(histories, (commands) => {
        const records = new MemoryRecords();
        for (const command of commands) perform(records, command, LIMITS);
        perform(records, transact([{ kind: 'delete', range: ALL_KEYS }]), LIMITS);
        for (const [record] of [...records.range(LEASE_RECORDS)]) {
          perform(records, revoke(recordedLease(record)), LIMITS);
        }
        const { revision, compactedRevision } = metaOf(records);
        if (revision > compactedRevision) perform(records, { kind: 'compact', revision }, LIMITS);
        expect(storedBytes(metaOf(records))).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

function transact(then: readonly Operation[], requestId: string | null = null): Command {
  return { kind: 'transact', transaction: { compare: [], then, otherwise: [], requestId } };
}

function put(key: string, text: string, lease: number | null = null): Operation {
  return {
    kind: 'put',
    key,
    value: new TextEncoder().encode(text),
    lease: lease as LeaseId | null,
  };
}

function revoke(id: number): Command {
  return { kind: 'revokeLease', id: id as LeaseId, reason: 'asked' };
}

function refusalOf(result: CommandResult): unknown {
  return result.kind === 'refused' ? result.refusal : result;
}

function historyBytesOf(records: MemoryRecords): number {
  const meta = metaOf(records);
  return meta.historyWrittenBytes - meta.historyForgottenBytes;
}

function storedHistoryBytes(records: MemoryRecords): number {
  const history = [...records.range(historyRecordRange(0 as Revision, null))];
  return history.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
}

describe('limits', () => {
  test('a store that is over its limit still deletes, reads and ends leases', () => {
    const records = new MemoryRecords();
    const limits = DEFAULT_STATE_MACHINE_LIMITS;
    perform(records, { kind: 'grantLease', id: null, ttlSeconds: 5, requestId: null }, limits);
    perform(records, transact([put('a', '1'), put('b', '1', 1), put('c', '1')]), limits);
    const full = { ...limits, storedBytesMax: 1 };
    const kindOf = (command: Command): string => perform(records, command, full).result.kind;
    const read = { kind: 'range', range: ALL_KEYS, limit: 0, content: 'whole' } as const;
    expect(kindOf(transact([put('d', '1')]))).toBe('refused');
    expect(kindOf(transact([read, { kind: 'delete', range: singleKeyRange('a') }]))).toBe(
      'transacted',
    );
    expect(kindOf(revoke(1))).toBe('leaseRevoked');
    expect(keyValuesOf(records).map((each) => each.key)).toEqual(['c']);
  });

  test('a full store refuses puts, and takes them again after a deletion and a compaction', () => {
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, storedBytesMax: 10_000 };
    const records = new MemoryRecords();
    const fill = (at: number): CommandResult =>
      perform(records, transact([put(`k${at}`, 'x'.repeat(1000))]), limits).result;
    let refused: CommandResult | null = null;
    let count = 0;
    for (; refused === null; count += 1) {
      const digest = records.digest();
      const result = fill(count);
      if (result.kind !== 'refused') continue;
      refused = result;
      expect(records.digest()).toBe(digest);
    }
    expect(refusalOf(refused)).toMatchObject({ code: 'STORE_FULL', limit: 10_000 });
    const range = { first: '', after: 'k3' };
    const freed = perform(records, transact([{ kind: 'delete', range }]), limits);
    expect(freed.result.kind).toBe('transacted');
    perform(records, { kind: 'compact', revision: freed.revision }, limits);
    expect(fill(count).kind).toBe('transacted');
  });

  test('history beyond its bytes is compacted to half of them, newest kept', () => {
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, historyBytesMax: 20_000 };
    const records = new MemoryRecords();
    for (let i = 0; i < 500; i += 1) {
      perform(records, transact([put('same', 'x'.repeat(300 + i))]), limits);
      expect(historyBytesOf(records)).toBe(storedHistoryBytes(records));
      expect(historyBytesOf(records)).toBeLessThanOrEqual(20_000);
      expect(historyOf(records)[0]?.revision).toBe(metaOf(records).compactedRevision + 1);
      expect(historyOf(records).at(-1)?.revision).toBe(i + 1);
    }
  });

  test('one revision larger than the bound of the history stays until the next', () => {
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, historyBytesMax: 100 };
    const records = new MemoryRecords();
    for (let i = 1; i <= 5; i += 1) {
      perform(records, transact([put('same', 'x'.repeat(500))]), limits);
      expect(historyOf(records).map((each) => each.revision)).toEqual([i]);
      expect(historyBytesOf(records)).toBe(storedHistoryBytes(records));
    }
  });

  test('a lease beyond the limit is refused until another ends', () => {
    const grant: Command = { kind: 'grantLease', id: null, ttlSeconds: 5, requestId: null };
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, leasesMax: 2 };
    const records = new MemoryRecords();
    expect(perform(records, grant, limits).result).toMatchObject({ id: 1 });
    expect(perform(records, grant, limits).result).toMatchObject({ id: 2 });
    expect(refusalOf(perform(records, grant, limits).result)).toEqual({
      code: 'LEASES_FULL',
      limit: 2,
    });
    perform(records, revoke(1), limits);
    expect(perform(records, grant, limits).result).toMatchObject({ id: 3 });
  });

  test('a request id is forgotten when as many others came after it', () => {
    const limits = { ...DEFAULT_STATE_MACHINE_LIMITS, outcomesMax: 2 };
    const records = new MemoryRecords();
    const repeated = (id: string): unknown => {
      const { result } = perform(records, transact([put('a', id)], id), limits);
      return result.kind === 'transacted' && result.result.repeated;
    };
    expect(['x', 'y', 'x', 'z', 'y', 'x'].map(repeated)).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect([...records.range(prefixRange('q'))]).toHaveLength(2);
    expect([...records.range(prefixRange('o'))]).toHaveLength(2);
  });
});

describe('leases', () => {
  test('a lease that ends takes its keys in one revision, and not those that left it', () => {
    const records = new MemoryRecords();
    const limits = DEFAULT_STATE_MACHINE_LIMITS;
    perform(records, { kind: 'grantLease', id: null, ttlSeconds: 5, requestId: null }, limits);
    perform(records, transact([put('a', '1', 1), put('b', '1', 1), put('c', '1', 1)]), limits);
    perform(records, transact([put('b', '2')]), limits);
    const { result, events } = perform(records, revoke(1), limits);
    expect(result).toEqual({ kind: 'leaseRevoked', revision: 3, deleted: 2, more: false });
    expect(events).toEqual([
      { kind: 'delete', key: 'a', modRevision: 3 },
      { kind: 'delete', key: 'c', modRevision: 3 },
    ]);
    expect([...records.range(attachmentRecordRange(1 as LeaseId))]).toEqual([]);
  });

  test('an id of the highest values does not use up the ones that are given', () => {
    const records = new MemoryRecords();
    const grant = (id: number | null): unknown => {
      const command: Command = {
        kind: 'grantLease',
        id: id as LeaseId | null,
        ttlSeconds: 5,
        requestId: null,
      };
      return perform(records, command, DEFAULT_STATE_MACHINE_LIMITS).result;
    };
    expect(grant(Number.MAX_SAFE_INTEGER)).toMatchObject({ id: Number.MAX_SAFE_INTEGER });
    expect(grant(null)).toMatchObject({ id: 1 });
    expect(grant(7)).toMatchObject({ id: 7 });
    expect(grant(null)).toMatchObject({ id: 8 });
  });
});

describe('a transaction', () => {
  for (const { why, before, expected } of [
    {
      why: 'single deletions',
      before: ['k1', 'k2', 'k3'].map(
        (key) => ({ kind: 'delete', range: singleKeyRange(key) }) as const,
      ),
      expected: ['k0', 'k4'],
    },
    {
      why: 'the deletion of a range',
      before: [{ kind: 'delete', range: { first: 'k1', after: 'k7' } } as const],
      expected: ['k0', 'k7'],
    },
    { why: 'puts', before: [put('k0', '2'), put('k00', '2')], expected: ['k0', 'k00'] },
    { why: 'nothing', before: [], expected: ['k0', 'k1'] },
  ]) {
    test(`that reads with a limit after ${why} finds as many keys as there are`, () => {
      const records = new MemoryRecords();
      const keys = Array.from({ length: 10 }, (_, at) => put(`k${at}`, '1'));
      perform(records, transact(keys), LIMITS);
      const range = prefixRange('k');
      const read = { kind: 'range', range, limit: 2, content: 'keys' } as const;
      const { result } = perform(records, transact([...before, read]), LIMITS);
      const told = result.kind === 'transacted' ? result.result.results.at(-1) : null;
      expect(told).toMatchObject({ count: 2, more: true });
      expect(told?.kind === 'range' && told.keyValues.map((each) => each.key)).toEqual(expected);
    });
  }

  test('reads what its earlier operations left, in order', () => {
    const records = new MemoryRecords();
    const range = { kind: 'range', range: prefixRange('a'), limit: 0, content: 'keys' } as const;
    perform(records, transact([put('a1', '1'), put('a3', '1'), put('a5', '1')]), LIMITS);
    const { result } = perform(
      records,
      transact([
        put('a4', '1'),
        { kind: 'delete', range: singleKeyRange('a3') },
        put('a0', '1'),
        { ...range, limit: 3 },
        range,
      ]),
      LIMITS,
    );
    if (result.kind !== 'transacted') throw new Error(result.kind);
    const reads = result.result.results.flatMap((each) => (each.kind === 'range' ? [each] : []));
    expect(reads.map((read) => read.keyValues.map((each) => each.key))).toEqual([
      ['a0', 'a1', 'a4'],
      ['a0', 'a1', 'a4', 'a5'],
    ]);
    expect(reads.map((read) => read.more)).toEqual([true, false]);
  });
});
