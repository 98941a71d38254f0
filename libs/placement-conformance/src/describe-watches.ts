import type { KeyRange, Placement, Revision, Watch, WatchBatch } from '@robustmq/placement';
import { prefixRange, singleKeyRange } from '@robustmq/placement';
import { expect, test } from 'vitest';
import type { PlacementUnderTest } from './describe-placement.ts';
import {
  CALL,
  deletionOf,
  eventsOf,
  eventText,
  faultOf,
  perform,
  put,
  putText,
  readKey,
  revisionOf,
  takeEvents,
} from './placement-calls.ts';
import type { PlacementCapabilities } from './placement-fixture.ts';

export function describeWatches(
  current: () => PlacementUnderTest,
  capabilities: PlacementCapabilities,
): void {
  describeDelivery(current);
  describeSlowness(current);
  describeCompaction(current);
  if (capabilities.progress) describeProgress(current);
}

function watchFrom(placement: Placement, range: KeyRange, from: Revision | null): Watch {
  return placement.watch({ range, from, progressEveryMs: null });
}

function after(revision: Revision): Revision {
  return (revision + 1) as Revision;
}

/** Which batches are not ahead of the events that they hold, or not in order; none is right. */
function disorderOf(batches: readonly WatchBatch[]): readonly WatchBatch[] {
  const revisions = eventsOf(batches).map(revisionOf);
  expect(revisions).toEqual([...revisions].sort((left, right) => left - right));
  return batches.filter((batch, at) => {
    const before = batches[at - 1]?.revision ?? 0;
    return batch.events.some(
      (event) => revisionOf(event) > batch.revision || revisionOf(event) <= before,
    );
  });
}

function describeDelivery(current: () => PlacementUnderTest): void {
  test('changes after a read are told from the next revision on, each once', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const read = await putText(placement, key, '1');
    const second = await putText(placement, key, '2');
    const watch = watchFrom(placement, prefixRange(prefix), after(read));
    const taken = takeEvents(watch, 3);
    const { revision: third } = await perform(placement, [deletionOf(key)]);
    const fourth = await putText(placement, key, '3');
    const batches = await taken;
    expect(eventsOf(batches).map(eventText)).toEqual([
      `${key}=2@${second}`,
      `-${key}@${third}`,
      `${key}=3@${fourth}`,
    ]);
    expect(disorderOf(batches)).toEqual([]);
  });

  test('an event holds the whole key as it was at its revision', async () => {
    const { placement, prefix } = current();
    const key = `${prefix}a`;
    const lease = await placement.grantLease(60, CALL);
    const { revision } = await perform(placement, [put(key, '1', lease.id)]);
    const stood = await readKey(placement, key);
    await putText(placement, key, '2');
    const batches = await takeEvents(watchFrom(placement, prefixRange(prefix), revision), 1);
    const [event] = eventsOf(batches);
    expect(
      event?.kind === 'put' && { ...event.keyValue, value: [...event.keyValue.value] },
    ).toEqual({
      ...stood,
      value: [...(stood?.value ?? [])],
    });
  });

  test('the events of one revision are never split', async () => {
    const { placement, prefix } = current();
    const keys = Array.from({ length: 100 }, (_, i) => `${prefix}${i}`);
    const { revision } = await perform(
      placement,
      keys.map((key) => put(key, 'x'.repeat(500))),
    );
    await perform(placement, [{ kind: 'delete', range: prefixRange(prefix) }]);
    const batches = await takeEvents(watchFrom(placement, prefixRange(prefix), revision), 200);
    for (const wanted of [revision, after(revision)]) {
      const holding = batches.filter((batch) =>
        batch.events.some((event) => revisionOf(event) === wanted),
      );
      expect(holding).toHaveLength(1);
    }
    expect(eventsOf(batches)).toHaveLength(200);
  });

  test('only the keys of the range are told', async () => {
    const { placement, prefix } = current();
    const start = await putText(placement, `${prefix}b`, 'before');
    const single = watchFrom(placement, singleKeyRange(`${prefix}b`), after(start));
    const taken = takeEvents(single, 2);
    for (const key of ['a', 'b', 'b/1', 'c']) await putText(placement, `${prefix}${key}`, '1');
    await perform(placement, [put(`${prefix}b`, '2'), put(`${prefix}d`, '2')]);
    const keys = eventsOf(await taken).map((event) =>
      event.kind === 'put' ? event.keyValue.key : event.key,
    );
    expect(keys).toEqual([`${prefix}b`, `${prefix}b`]);
  });

  test('a watch without a first revision tells nothing that was before it', async () => {
    const { placement, prefix } = current();
    const before = await putText(placement, `${prefix}a`, 'before');
    const first = takeEvents(watchFrom(placement, prefixRange(prefix), null), 1);
    let told = false;
    const done = first.then(() => (told = true));
    for (let i = 0; !told && i < 1000; i += 1) await putText(placement, `${prefix}a`, `later ${i}`);
    await done;
    for (const event of eventsOf(await first)) expect(revisionOf(event)).toBeGreaterThan(before);
  });

  test('a watch may begin in the future', async () => {
    const { placement, prefix } = current();
    const now = await putText(placement, `${prefix}a`, '0');
    const from = (now + 3) as Revision;
    const taken = takeEvents(watchFrom(placement, prefixRange(prefix), from), 1);
    for (let i = 1; i <= 3; i += 1) await putText(placement, `${prefix}a`, String(i));
    expect(eventsOf(await taken).map(eventText)).toEqual([`${prefix}a=3@${from}`]);
  });

  test('cancelling ends a watch without an error, one that waits too', async () => {
    const { placement, prefix } = current();
    const watch = watchFrom(placement, prefixRange(prefix), null);
    const next = watch[Symbol.asyncIterator]().next();
    watch.cancel();
    watch.cancel();
    expect((await next).done).toBe(true);
  });
}

function describeSlowness(current: () => PlacementUnderTest): void {
  test('a consumer that comes late misses nothing', async () => {
    const { placement, prefix } = current();
    const start = await putText(placement, `${prefix}a`, 'start');
    const watch = watchFrom(placement, prefixRange(prefix), after(start));
    const batches = watch[Symbol.asyncIterator]();
    await putText(placement, `${prefix}a`, '0');
    const first = await batches.next();
    for (let i = 1; i < 300; i += 1) await putText(placement, `${prefix}a`, String(i));
    const later = await takeEvents(
      { cancel: () => watch.cancel(), [Symbol.asyncIterator]: () => batches },
      299,
    );
    const all = first.done === true ? later : [first.value, ...later];
    expect(disorderOf(all)).toEqual([]);
    const revisions = eventsOf(all).map(revisionOf);
    expect(revisions).toEqual(Array.from({ length: 300 }, (_, i) => start + 1 + i));
  });

  test('watches that begin at different revisions each see their part', async () => {
    const { placement, prefix } = current();
    const start = await putText(placement, `${prefix}a`, '0');
    const froms = [1, 5, 10, 20].map((distance) => (start + distance) as Revision);
    const taken = froms.map((from) =>
      takeEvents(watchFrom(placement, prefixRange(prefix), from), start + 30 - from + 1),
    );
    for (let i = 1; i <= 30; i += 1) await putText(placement, `${prefix}a`, String(i));
    for (const [at, from] of froms.entries()) {
      const revisions = eventsOf((await taken[at]) ?? []).map(revisionOf);
      expect(revisions).toEqual(Array.from({ length: start + 31 - from }, (_, i) => from + i));
    }
  });
}

function describeCompaction(current: () => PlacementUnderTest): void {
  test('a watch can not begin in what is compacted, and what stands is kept', async () => {
    const { placement, prefix } = current();
    const first = await putText(placement, `${prefix}a`, '1');
    const second = await putText(placement, `${prefix}b`, '1');
    await putText(placement, `${prefix}a`, '2');
    await placement.compact(second, CALL);
    const range = prefixRange(prefix);
    for (const from of [first, second]) {
      const fault = await faultOf(takeEvents(watchFrom(placement, range, from), 1));
      expect(fault).toMatchObject({ code: 'PLACEMENT_REVISION_COMPACTED', oldest: after(second) });
    }
    const kept = await takeEvents(watchFrom(placement, range, after(second)), 1);
    expect(eventsOf(kept).map(revisionOf)).toEqual([after(second)]);
    expect(await readKey(placement, `${prefix}b`)).toMatchObject({ modRevision: second });
  });

  test('compacting twice, or beyond what is, is refused', async () => {
    const { placement, prefix } = current();
    const revision = await putText(placement, `${prefix}a`, '1');
    await placement.compact(revision, CALL);
    expect(await faultOf(placement.compact(revision, CALL))).toMatchObject({
      code: 'PLACEMENT_REVISION_COMPACTED',
    });
    expect(await faultOf(placement.compact((revision + 5) as Revision, CALL))).toMatchObject({
      code: 'PLACEMENT_REVISION_FUTURE',
    });
  });

  test('a watch that was told everything does not notice a compaction', async () => {
    const { placement, prefix } = current();
    const start = await putText(placement, `${prefix}a`, '1');
    const watch = watchFrom(placement, prefixRange(prefix), start);
    const batches = watch[Symbol.asyncIterator]();
    expect((await batches.next()).done).toBe(false);
    await placement.compact(start, CALL);
    const next = batches.next();
    await putText(placement, `${prefix}a`, '2');
    const batch = await next;
    expect(batch.done === true ? [] : batch.value.events.map(revisionOf)).toEqual([after(start)]);
    watch.cancel();
  });
}

function describeProgress(current: () => PlacementUnderTest): void {
  test('a quiet watch tells how far it has come', async () => {
    const { placement, prefix, advance } = current();
    const revision = await putText(placement, `${prefix}elsewhere`, '1');
    const range = prefixRange(`${prefix}quiet/`);
    const watch = placement.watch({ range, from: after(revision), progressEveryMs: 1000 });
    const next = watch[Symbol.asyncIterator]().next();
    await advance(1);
    const batch = await next;
    expect(batch.done === true ? null : batch.value).toEqual({
      revision: expect.any(Number),
      events: [],
    });
    expect(batch.done === true ? 0 : batch.value.revision).toBeGreaterThanOrEqual(revision);
    watch.cancel();
  });
}
