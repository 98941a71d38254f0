import { ManualTimers, settle } from '@robustmq/environment';
import {
  type KeyEvent,
  type KeyRange,
  matchesRange,
  PlacementError,
  prefixRange,
  type Revision,
  type Watch,
  type WatchBatch,
} from '@robustmq/placement';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ChangeHistory, ChangePage, RevisionChanges } from './change-history.ts';
import { WatchHub } from './watch-hub.ts';
import { WATCH_BUFFER_BYTES_MAX, WATCH_BUFFER_EVENTS_MAX } from './watcher.ts';

/** Keeps every change since the last compaction, and tells it in pages of few revisions. */
class MemoryHistory implements ChangeHistory {
  revision: Revision = 0 as Revision;
  compacted = 0;
  readonly changes: RevisionChanges[] = [];
  reads = 0;

  async read(range: KeyRange, from: Revision): Promise<ChangePage> {
    this.reads += 1;
    if (from <= this.compacted) {
      const oldest = (this.compacted + 1) as Revision;
      throw new PlacementError({ code: 'PLACEMENT_REVISION_COMPACTED', requested: from, oldest });
    }
    const page = this.changes.filter(({ revision }) => revision >= from).slice(0, 100);
    const events = page.flatMap((each) => each.events);
    return {
      events: events.filter((event) => matchesRange(range, keyOf(event))),
      through: page.at(-1)?.revision ?? this.revision,
    };
  }
}

let history: MemoryHistory;
let timers: ManualTimers;
let hub: WatchHub;

beforeEach(() => {
  history = new MemoryHistory();
  timers = new ManualTimers(0);
  hub = new WatchHub({ history, clock: timers.clock, timers });
});

function keyOf(event: KeyEvent): string {
  return event.kind === 'put' ? event.keyValue.key : event.key;
}

function change(...keys: readonly string[]): void {
  const revision = (history.revision + 1) as Revision;
  const events = keys.map((key): KeyEvent => ({ kind: 'delete', key, modRevision: revision }));
  history.revision = revision;
  history.changes.push({ revision, events });
  hub.publish([{ revision, events }]);
}

function watch(prefix: string, from: number | null, progressEveryMs: number | null = null): Watch {
  return hub.open({ range: prefixRange(prefix), from: from as Revision | null, progressEveryMs });
}

/** Takes batches until the revision is told. */
async function through(iterator: AsyncIterator<WatchBatch>, revision: number): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const { value, done } = await iterator.next();
    if (done === true) return seen;
    seen.push(
      ...value.events.map(
        (event) => `${String(event.kind === 'delete' ? event.modRevision : 0)} ${keyOf(event)}`,
      ),
    );
    if (value.revision >= revision) return seen;
  }
}

describe('a watch', () => {
  test('from now on sees what comes and nothing before', async () => {
    change('a/0');
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    change('b/1');
    change('a/2');
    expect(await through(iterator, 3)).toEqual(['3 a/2']);
  });

  test('from the past sees every change once, in order, up to and across the present', async () => {
    for (let number = 0; number < 350; number += 1) change('a/x', 'b/x');
    const iterator = watch('a/', 11)[Symbol.asyncIterator]();
    const first = await through(iterator, 300);
    change('a/x');
    const seen = [...first, ...(await through(iterator, 351))];
    expect(seen).toEqual(Array.from({ length: 341 }, (_, at) => `${String(at + 11)} a/x`));
  });

  test('from the future waits for it', async () => {
    const iterator = watch('a/', 3)[Symbol.asyncIterator]();
    for (const key of ['a/1', 'a/2', 'a/3']) change(key);
    expect(await through(iterator, 3)).toEqual(['3 a/3']);
  });

  test('whose consumer does not ask keeps a bounded buffer and loses nothing', async () => {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    const count = WATCH_BUFFER_EVENTS_MAX + 500;
    for (let number = 0; number < count; number += 1) change('a/x');
    const seen = await through(iterator, count);
    expect(seen).toEqual(Array.from({ length: count }, (_, at) => `${String(at + 1)} a/x`));
    expect(history.reads).toBeGreaterThan(0);
  });

  test('is told the events of one revision together, even when they exceed its buffer', async () => {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    change('a/first');
    change(...Array.from({ length: WATCH_BUFFER_EVENTS_MAX + 1 }, (_, at) => `a/${String(at)}`));
    const before = await iterator.next();
    expect(before.value).toMatchObject({ revision: 1, events: [{ key: 'a/first' }] });
    const after = (await iterator.next()).value as WatchBatch;
    expect([after.revision, after.events.length]).toEqual([2, WATCH_BUFFER_EVENTS_MAX + 1]);
  });

  test('is bounded in bytes too, and its waiting consumer is fed from the history at once', async () => {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    const value = new Uint8Array(WATCH_BUFFER_BYTES_MAX);
    for (const key of ['a/1', 'a/2']) {
      const next = iterator.next();
      const revision = (history.revision + 1) as Revision;
      const keyValue = {
        ...{ key, value, version: 1, lease: null },
        ...{ createRevision: revision, modRevision: revision },
      };
      const events: readonly KeyEvent[] = [{ kind: 'put', keyValue }];
      history.revision = revision;
      history.changes.push({ revision, events });
      hub.publish([{ revision, events }]);
      expect((await next).value).toEqual({ revision, events });
    }
    expect(history.reads).toBe(2);
  });

  test('that fell behind what is kept ends and says so', async () => {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    for (let number = 0; number <= WATCH_BUFFER_EVENTS_MAX; number += 1) change('a/x');
    history.compacted = history.revision;
    await iterator.next();
    const fault = { code: 'PLACEMENT_REVISION_COMPACTED' };
    await expect(iterator.next()).rejects.toMatchObject({ fault });
    expect(hub.size).toBe(0);
  });

  test('goes on from the history after a snapshot replaced the content', async () => {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    change('a/1');
    const revision = 2 as Revision;
    history.revision = revision;
    history.changes.push({
      revision,
      events: [{ kind: 'delete', key: 'a/2', modRevision: revision }],
    });
    hub.reset(revision);
    change('a/3');
    expect(await through(iterator, 3)).toEqual(['1 a/1', '2 a/2', '3 a/3']);
  });

  test('tells how far it has come when nothing happens to its keys', async () => {
    const iterator = watch('a/', null, 1000)[Symbol.asyncIterator]();
    const next = iterator.next();
    change('b/1');
    await timers.elapse(1100);
    expect((await next).value).toEqual({ revision: 1, events: [] });
  });

  test('ends when it is cancelled, also while its consumer waits', async () => {
    const cancelled = watch('a/', null);
    const next = cancelled[Symbol.asyncIterator]().next();
    cancelled.cancel();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(hub.size).toBe(0);
  });
});

test('a change that ten thousand watch wakes them over many turns', async () => {
  const batches: WatchBatch[] = [];
  for (let number = 0; number < 10_000; number += 1) {
    const iterator = watch('a/', null)[Symbol.asyncIterator]();
    void iterator.next().then(({ value }) => batches.push(value as WatchBatch));
  }
  change('a/1');
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(batches.length).toBeLessThan(1000);
  while (batches.length < 10_000) await settle(3);
  const [first] = batches;
  expect(batches.every(({ events }) => events[0] === first?.events[0])).toBe(true);
});
