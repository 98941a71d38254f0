import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation, RecordedOperation } from './history.ts';
import { checkLinearizable } from './linearizability.ts';

const get: Operation = { kind: 'get', key: 0 };
const put = (value: number): Operation => ({ kind: 'put', key: 0, value });
const remove: Operation = { kind: 'delete', key: 0 };
const swap = (expected: number, value: number): Operation => ({
  kind: 'compareAndSet',
  key: 0,
  expected,
  value,
});

/** `[operation, invokedAt, returnedAt, result]`. */
type Row = readonly [Operation, number, number | null, number];

function isLinearizable(recorded: readonly RecordedOperation[]): boolean {
  return checkLinearizable(recorded).kind === 'linearizable';
}

function history(rows: readonly Row[]): RecordedOperation[] {
  return rows.map(([operation, invokedAt, returnedAt, result], client) => ({
    client,
    operation,
    invokedAt,
    returnedAt,
    result,
  }));
}

const cases: readonly (readonly [boolean, readonly Row[], string])[] = [
  [true, [], 'nothing happened'],
  [true, [[get, 1, 2, 0]], 'an absent key reads as absent'],
  [
    true,
    [
      [put(5), 1, 2, 5],
      [get, 3, 4, 5],
    ],
    'a read after a write sees it',
  ],
  [
    false,
    [
      [put(5), 1, 2, 5],
      [get, 3, 4, 0],
    ],
    'a read after a write must see it',
  ],
  [
    true,
    [
      [put(5), 1, 4, 5],
      [get, 2, 3, 0],
    ],
    'a read during a write may miss it',
  ],
  [
    true,
    [
      [put(5), 1, 4, 5],
      [get, 2, 3, 5],
    ],
    'a read during a write may see it',
  ],
  [
    false,
    [
      [put(5), 1, 9, 5],
      [get, 2, 3, 5],
      [get, 4, 5, 0],
    ],
    'once seen, a write stays seen by later reads',
  ],
  [
    true,
    [
      [put(5), 1, null, 0],
      [get, 3, 4, 0],
    ],
    'a write without an answer may never happen',
  ],
  [
    true,
    [
      [put(5), 1, null, 0],
      [get, 3, 4, 0],
      [get, 5, 6, 5],
    ],
    'or take effect long after its client gave up',
  ],
  [
    false,
    [
      [put(5), 1, null, 0],
      [get, 3, 4, 5],
      [get, 5, 6, 0],
    ],
    'but it does not happen backwards',
  ],
  [
    true,
    [
      [put(1), 1, 2, 1],
      [swap(1, 2), 3, 4, 1],
      [get, 5, 6, 2],
    ],
    'a swap that succeeds writes',
  ],
  [
    false,
    [
      [put(1), 1, 2, 1],
      [swap(9, 2), 3, 4, 1],
    ],
    'a swap cannot succeed against another value',
  ],
  [
    false,
    [
      [put(1), 1, 2, 1],
      [swap(1, 2), 3, 9, 1],
      [swap(1, 3), 4, 8, 1],
    ],
    'two swaps cannot both take the same value',
  ],
  [
    false,
    [
      [put(1), 1, 2, 1],
      [remove, 3, 4, 0],
    ],
    'a deletion finds what was written',
  ],
  [
    true,
    [
      [put(1), 1, null, 1],
      [remove, 3, 4, 1],
      [get, 5, 6, 0],
    ],
    'a deletion may prove a write of unknown outcome',
  ],
];

describe('linearizability (Herlihy and Wing 1990)', () => {
  for (const [expected, rows, why] of cases) {
    test(why, () => expect(isLinearizable(history(rows))).toBe(expected));
  }

  test('agrees with a trial of every order', () => {
    const operation = fc.oneof(
      fc.constant(get),
      fc.constant(remove),
      fc.integer({ min: 1, max: 3 }).map(put),
      fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 3 })).map(([from, to]) => swap(from, to)),
    );
    const row = fc.record({
      operation,
      start: fc.nat(12),
      length: fc.integer({ min: 1, max: 8 }),
      answered: fc.boolean(),
      result: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (drawn) => {
        const recorded = drawn.map(
          ({ operation: done, start, length, answered, result }, client): RecordedOperation => ({
            client,
            operation: done,
            // Distinct instants: no two events of a real history coincide.
            invokedAt: start * 10 + client,
            returnedAt: answered ? (start + length) * 10 + client : null,
            result: done.kind === 'compareAndSet' || done.kind === 'delete' ? result % 2 : result,
          }),
        );
        expect(isLinearizable(recorded)).toBe(isLinearizableNaively(recorded, 0));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Picks any operation that may come first, and tries the rest. */
function isLinearizableNaively(rest: readonly RecordedOperation[], state: number): boolean {
  if (rest.every((each) => each.returnedAt === null)) return true;
  const firstReturn = Math.min(...rest.map((each) => each.returnedAt ?? Number.POSITIVE_INFINITY));
  return rest.some((each) => {
    if (each.invokedAt > firstReturn) return false;
    const others = rest.filter((other) => other !== each);
    return statesAfter(each, state).some((after) => isLinearizableNaively(others, after));
  });
}

function statesAfter(
  { operation, result, returnedAt }: RecordedOperation,
  state: number,
): number[] {
  const isKnown = returnedAt !== null;
  switch (operation.kind) {
    case 'get':
      return !isKnown || result === state ? [state] : [];
    case 'put':
      return [operation.value];
    case 'delete':
      return isKnown && (result === 1) !== (state !== 0) ? [] : [0];
    case 'compareAndSet': {
      const succeeds = state === operation.expected;
      if (isKnown && succeeds !== (result === 1)) return [];
      return [succeeds ? operation.value : state];
    }
  }
}
