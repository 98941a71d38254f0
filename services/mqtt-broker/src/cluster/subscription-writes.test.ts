import { describe, expect, test } from 'vitest';
import type { Revision } from '@robustmq/placement';
import type { ClientSession } from '../session/client-session.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import { SubscriptionWrites } from './subscription-writes.ts';

/** A registry whose transactions the test ends one by one. */
class Bench {
  readonly calls: string[] = [];
  readonly writes: SubscriptionWrites;
  readonly #open: PromiseWithResolvers<Revision>[] = [];

  constructor() {
    const call = (kind: string, filters: readonly string[]): Promise<Revision> => {
      this.calls.push(`${kind} ${filters.join(' ')}`);
      const outcome = Promise.withResolvers<Revision>();
      this.#open.push(outcome);
      return outcome.promise;
    };
    const subscriptions = {
      subscribe: (_owner: object, records: readonly { readonly topicFilter: string }[]) =>
        call(
          '+',
          records.map(({ topicFilter }) => topicFilter),
        ),
      unsubscribe: (_owner: object, filters: readonly string[]) => call('-', filters),
    };
    const edges = { registries: { subscriptions }, settings: { callDeadlineMs: 1000 } };
    this.writes = new SubscriptionWrites(edges as unknown as ClusterEdges);
  }

  async end(outcome: number | Error): Promise<void> {
    const open = this.#open.shift();
    if (outcome instanceof Error) open?.reject(outcome);
    else open?.resolve(outcome as Revision);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function sessionWith(...filters: readonly string[]): ClientSession {
  const subscriptions = new Map(filters.map((filter) => [filter, { qos: 1, identifier: 0 }]));
  return { clientId: 'c', ownerEpoch: 1, subscriptions } as unknown as ClientSession;
}

describe('the subscriptions of a session are written', () => {
  test('together, when they come while others are under way', async () => {
    const { writes, calls, ...bench } = openBench();
    const session = sessionWith('a', 'b', 'c');
    const told = ['a', 'b', 'c'].map((key) => writes.subscribe(session, [key]));
    expect(calls).toEqual(['+ a']);
    await bench.end(5);
    expect(calls).toEqual(['+ a', '+ b c']);
    await bench.end(7);
    expect(await Promise.all(told)).toEqual([5, 7, 7]);
  });

  test('in the order of the calls, unsubscribing included; what is gone by then is left out', async () => {
    const { writes, calls, ...bench } = openBench();
    const session = sessionWith('a', 'c');
    const told = [
      writes.subscribe(session, ['a']),
      writes.subscribe(session, ['b']),
      writes.unsubscribe(session, ['b']),
      writes.subscribe(session, ['c']),
    ];
    for (const revision of [1, 2, 3, 4]) await bench.end(revision);
    expect(calls).toEqual(['+ a', '+ ', '- b', '+ c']);
    expect(await Promise.all(told)).toEqual([1, 2, 3, 4]);
  });

  test('at most a hundred in one step', async () => {
    const { writes, calls, ...bench } = openBench();
    const keys = Array.from({ length: 250 }, (_, index) => `f${index}`);
    const told = writes.subscribe(sessionWith(...keys), keys);
    for (const revision of [1, 2, 3]) await bench.end(revision);
    expect(calls.map((call) => call.split(' ').length - 1)).toEqual([100, 100, 50]);
    expect(await told).toBe(3);
  });

  test('one session does not wait for another, nor a later change for a failed one', async () => {
    const { writes, calls, ...bench } = openBench();
    const [one, two] = [sessionWith('a', 'b'), sessionWith('x')];
    const failed = writes.subscribe(one, ['a']).catch((error: Error) => error.message);
    const later = writes.subscribe(one, ['b']);
    const other = writes.subscribe(two, ['x']);
    expect(calls).toEqual(['+ a', '+ x']);
    await bench.end(new Error('fenced'));
    expect(await failed).toBe('fenced');
    await bench.end(1);
    await bench.end(2);
    expect(await Promise.all([other, later])).toEqual([1, 2]);
  });
});

function openBench(): {
  readonly writes: SubscriptionWrites;
  readonly calls: readonly string[];
  readonly end: (outcome: number | Error) => Promise<void>;
} {
  const bench = new Bench();
  return { writes: bench.writes, calls: bench.calls, end: (outcome) => bench.end(outcome) };
}
