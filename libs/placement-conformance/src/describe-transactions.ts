import type { Comparison, LeaseId, Relation } from '@robustmq/placement';
import { prefixRange } from '@robustmq/placement';
import { expect, test } from 'vitest';
import type { PlacementUnderTest } from './describe-placement.ts';
import {
  absent,
  bytesOf,
  CALL,
  deletionOf,
  faultOf,
  perform,
  put,
  putText,
  readKey,
  readPrefix,
  textOf,
} from './placement-calls.ts';
import type { PlacementCapabilities } from './placement-fixture.ts';

export function describeTransactions(
  current: () => PlacementUnderTest,
  capabilities: PlacementCapabilities,
): void {
  describeRevisions(current);
  describeComparisons(current);
  describeOperations(current);
  describeRefusals(current);
  if (capabilities.requestIds) describeRequestIds(current);
}

function describeRevisions(current: () => PlacementUnderTest): void {
  test('a key counts its puts and remembers when it came to be', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const first = await putText(placement, key, '1');
    const second = await putText(placement, key, '2');
    expect(second).toBeGreaterThan(first);
    expect(await readKey(placement, key)).toEqual({
      key,
      value: expect.anything(),
      createRevision: first,
      modRevision: second,
      version: 2,
      lease: null,
    });
    await perform(placement, [deletionOf(key)]);
    expect(await readKey(placement, key)).toBeNull();
    const again = await putText(placement, key, '3');
    expect(await readKey(placement, key)).toMatchObject({ createRevision: again, version: 1 });
  });

  test('all changes of a transaction share one revision', async () => {
    const { placement, prefix } = current();
    const { revision } = await perform(placement, [put(`${prefix}a`, '1'), put(`${prefix}b`, '2')]);
    const { keyValues } = await readPrefix(placement, prefix);
    expect(keyValues.map((each) => each.modRevision)).toEqual([revision, revision]);
  });

  test('a transaction that changes nothing leaves the revision', async () => {
    const { placement, prefix } = current();
    const revision = await putText(placement, `${prefix}a`, '1');
    const range = prefixRange(prefix);
    const read = await perform(placement, [{ kind: 'range', range, limit: 0, content: 'count' }]);
    const nothing = await perform(placement, [deletionOf(`${prefix}none`)]);
    expect([read.revision, nothing.revision]).toEqual([revision, revision]);
  });

  test('counters that many add to at once lose no addition', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}counter`;
    await putText(placement, key, '0');
    const addOne = async (): Promise<void> => {
      for (;;) {
        const found = await readKey(placement, key);
        const number = found?.modRevision ?? 0;
        const compare: Comparison = { target: 'modRevision', key, relation: 'equal', number };
        const next = String(Number(textOf(found?.value)) + 1);
        const { succeeded } = await perform(placement, [put(key, next)], [compare]);
        if (succeeded) return;
      }
    };
    await Promise.all(Array.from({ length: 8 }, addOne));
    const found = await readKey(placement, key);
    expect([textOf(found?.value), found?.version]).toEqual(['8', 9]);
  });
}

const RELATIONS: readonly Relation[] = ['equal', 'notEqual', 'less', 'greater'];

/** Which relations hold when what stands is less than, the same as or more than what is compared. */
const HOLDS: Readonly<Record<'less' | 'same' | 'more', readonly Relation[]>> = {
  less: ['notEqual', 'less'],
  same: ['equal'],
  more: ['notEqual', 'greater'],
};

function describeComparisons(current: () => PlacementUnderTest): void {
  for (const target of ['version', 'createRevision', 'modRevision'] as const) {
    for (const [offset, holding] of [
      [1, HOLDS.less],
      [0, HOLDS.same],
      [-1, HOLDS.more],
    ] as const) {
      test(`${target} is compared with one ${['less', 'the same', 'more'][offset + 1]}`, async () => {
        const { placement, prefix } = current();
        const key = `${prefix}a`;
        await putText(placement, `${prefix}other`, '0');
        await putText(placement, key, '1');
        await putText(placement, key, '2');
        const number = ((await readKey(placement, key))?.[target] ?? 0) + offset;
        const found = await relationsThatHold(current(), (relation) => ({
          target,
          key,
          relation,
          number,
        }));
        expect(found).toEqual(holding);
      });
    }

    test(`${target} of a key that does not exist is 0`, async () => {
      const key = `${current().prefix}none`;
      const found = await relationsThatHold(current(), (relation) => ({
        target,
        key,
        relation,
        number: 0,
      }));
      expect(found).toEqual(HOLDS.same);
    });
  }

  for (const [value, holding, why] of [
    ['b', HOLDS.same, 'the same value'],
    ['c', HOLDS.less, 'a later byte'],
    ['a\u{ff}', HOLDS.more, 'a longer value with an earlier byte'],
    ['ba', HOLDS.less, 'a value that goes on'],
    ['', HOLDS.more, 'the empty value'],
    ['\u{1f600}', HOLDS.less, 'bytes above 127 as unsigned'],
  ] as const) {
    test(`values are compared byte by byte: ${why}`, async () => {
      const { placement, prefix } = current();
      const key = `${prefix}a`;
      await putText(placement, key, 'b');
      const found = await relationsThatHold(current(), (relation) => ({
        target: 'value',
        key,
        relation,
        value: bytesOf(value),
      }));
      expect(found).toEqual(holding);
    });
  }

  test('no comparison holds for the value of a key that does not exist', async () => {
    const key = `${current().prefix}none`;
    const found = await relationsThatHold(current(), (relation) => ({
      target: 'value',
      key,
      relation,
      value: bytesOf(''),
    }));
    expect(found).toEqual([]);
  });

  test('the lease of a key is compared, and no lease too', async () => {
    const { placement, prefix } = current();
    const lease = await placement.grantLease(60, CALL);
    await perform(placement, [put(`${prefix}a`, '1', lease.id), put(`${prefix}b`, '1')]);
    const holdsFor = async (key: string, id: LeaseId | null): Promise<boolean> => {
      const compare: Comparison = { target: 'lease', key: `${prefix}${key}`, lease: id };
      return (await perform(placement, [], [compare])).succeeded;
    };
    expect(await holdsFor('a', lease.id)).toBe(true);
    expect(await holdsFor('a', null)).toBe(false);
    expect(await holdsFor('b', lease.id)).toBe(false);
    expect(await holdsFor('b', null)).toBe(true);
    expect(await holdsFor('none', null)).toBe(true);
  });
}

async function relationsThatHold(
  { placement }: PlacementUnderTest,
  comparisonOf: (relation: Relation) => Comparison,
): Promise<readonly Relation[]> {
  const found: Relation[] = [];
  for (const relation of RELATIONS) {
    const { succeeded } = await perform(placement, [], [comparisonOf(relation)]);
    if (succeeded) found.push(relation);
  }
  return found;
}

function describeOperations(current: () => PlacementUnderTest): void {
  test('one branch is carried out, and only when every comparison holds the first', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const transaction = {
      compare: [absent(`${prefix}none`), absent(key)],
      then: [put(key, 'then')],
      otherwise: [put(key, 'otherwise'), put(`${prefix}b`, '1')],
      requestId: null,
    };
    const first = await placement.transact(transaction, CALL);
    expect([first.succeeded, first.results.length, first.repeated]).toEqual([true, 1, false]);
    expect(textOf((await readKey(placement, key))?.value)).toBe('then');
    const second = await placement.transact(transaction, CALL);
    expect([second.succeeded, second.results.length]).toEqual([false, 2]);
    expect(textOf((await readKey(placement, key))?.value)).toBe('otherwise');
  });

  test('a put tells what it replaced', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const first = await perform(placement, [put(key, '1')]);
    expect(first.results).toEqual([{ kind: 'put', previous: null }]);
    const second = await perform(placement, [put(key, '2')]);
    expect(second.results).toMatchObject([
      { kind: 'put', previous: { key, modRevision: first.revision, version: 1 } },
    ]);
  });

  test('a deletion of a range tells how many keys it took', async () => {
    const { placement, prefix } = current();
    await perform(
      placement,
      ['a', 'a/1', 'a/2', 'b'].map((key) => put(`${prefix}${key}`, '1')),
    );
    const range = prefixRange(`${prefix}a/`);
    const { results } = await perform(placement, [
      { kind: 'delete', range },
      deletionOf(`${prefix}none`),
      deletionOf(`${prefix}b`),
    ]);
    expect(results.map((each) => each.kind === 'delete' && each.deleted)).toEqual([2, 0, 1]);
    const { keyValues } = await readPrefix(placement, prefix);
    expect(keyValues.map((each) => each.key)).toEqual([`${prefix}a`]);
  });

  test('a read sees what the operations before it left', async () => {
    const { placement, prefix } = current();
    await perform(
      placement,
      ['a', 'b', 'c'].map((key) => put(`${prefix}${key}`, 'old')),
    );
    const read = { kind: 'range', range: prefixRange(prefix), limit: 0, content: 'whole' } as const;
    const { results, revision } = await perform(placement, [
      read,
      put(`${prefix}b`, 'new'),
      deletionOf(`${prefix}c`),
      put(`${prefix}d`, 'new'),
      read,
    ]);
    const told = results.flatMap((each) => (each.kind === 'range' ? [each.keyValues] : []));
    const texts = told.map((found) => found.map((each) => textOf(each.value)));
    expect(texts).toEqual([
      ['old', 'old', 'old'],
      ['old', 'new', 'new'],
    ]);
    expect(told[1]?.[1]).toMatchObject({ modRevision: revision, version: 2 });
  });
}

function describeRefusals(current: () => PlacementUnderTest): void {
  const invalid = { code: 'PLACEMENT_INVALID', detail: expect.any(String) };

  test('a key changed twice is refused, and nothing happens', async () => {
    const { placement, prefix } = current();
    const twice = [put(`${prefix}a`, '1'), put(`${prefix}b`, '1'), put(`${prefix}a`, '2')];
    const both = [put(`${prefix}a`, '1'), { kind: 'delete', range: prefixRange(prefix) } as const];
    expect(await faultOf(perform(placement, twice))).toEqual(invalid);
    expect(await faultOf(perform(placement, both))).toEqual(invalid);
    expect((await readPrefix(placement, prefix)).count).toBe(0);
  });

  for (const [why, key] of [
    ['an empty key', ''],
    ['a lone surrogate', 'a\ud800'],
  ] as const) {
    test(`${why} is refused`, async () => {
      expect(await faultOf(putText(current().placement, key, '1'))).toEqual(invalid);
    });
  }

  test('a lease that does not exist is refused, and nothing happens', async () => {
    const { placement, prefix } = current();
    const { id } = await placement.grantLease(60, CALL);
    await placement.revokeLease(id, CALL);
    const fault = await faultOf(
      perform(placement, [put(`${prefix}a`, '1'), put(`${prefix}b`, '1', id)]),
    );
    expect(fault).toMatchObject({ code: 'PLACEMENT_LEASE_NOT_FOUND' });
    expect((await readPrefix(placement, prefix)).count).toBe(0);
  });
}

function describeRequestIds(current: () => PlacementUnderTest): void {
  test('a transaction sent again is not carried out again, and the first outcome is told', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const transaction = {
      compare: [absent(key)],
      then: [put(key, '1')],
      otherwise: [deletionOf(key)],
      requestId: `${prefix}request`,
    };
    const first = await placement.transact(transaction, CALL);
    await putText(placement, `${prefix}b`, '1');
    const again = await placement.transact(transaction, CALL);
    expect(first).toMatchObject({ succeeded: true, repeated: false });
    expect(again).toEqual({
      revision: first.revision,
      succeeded: true,
      results: [],
      repeated: true,
    });
    expect(await readKey(placement, key)).toMatchObject({ version: 1 });
  });

  test('a failed comparison is an outcome, too', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const requestId = `${prefix}request`;
    const transaction = { compare: [absent(key)], then: [put(key, '1')], otherwise: [], requestId };
    await putText(placement, key, '0');
    expect((await placement.transact(transaction, CALL)).succeeded).toBe(false);
    await perform(placement, [deletionOf(key)]);
    expect(await placement.transact(transaction, CALL)).toMatchObject({
      succeeded: false,
      repeated: true,
    });
    expect(await readKey(placement, key)).toBeNull();
  });
}
