import { describe, expect, test } from 'vitest';
import { CALL, openTestCluster } from './cluster.fixture.ts';
import type { PlacementDocument } from './document-registry.ts';
import type { RegistryBatch, RegistryChange } from './registry-watch.ts';

const WATCH = { within: [], call: CALL };

function toldBy(batch: RegistryBatch<PlacementDocument>): readonly string[] {
  return batch.changes.map(nameOf);
}

function nameOf(change: RegistryChange<PlacementDocument>): string {
  if (change.kind === 'put') return `put ${change.stored.value.name}`;
  return `${change.kind} ${change.names[1]}`;
}

async function openDocuments() {
  const { registries, placement } = await openTestCluster();
  const { documents } = registries;
  const save = (name: string) =>
    documents.save({ kind: 'k', name, content: new Uint8Array(0) }, null, CALL);
  return { documents, placement, save };
}

describe('watching a registry', () => {
  test('the list comes first, then each change once', async () => {
    const { documents, save } = await openDocuments();
    await save('a');
    await save('b');
    const watch = documents.watch(WATCH);
    const batches = watch[Symbol.asyncIterator]();
    expect(toldBy((await batches.next()).value)).toEqual(['put a', 'put b']);
    await save('c');
    await documents.delete(['k', 'a'], CALL);
    expect(toldBy((await batches.next()).value)).toEqual(['put c', 'delete a']);
    watch.cancel();
    expect((await batches.next()).done).toBe(true);
  });

  test('after a compaction the difference is told, with what is gone', async () => {
    const { documents, placement, save } = await openDocuments();
    await save('stays');
    await save('goes');
    const watch = documents.watch(WATCH);
    const batches = watch[Symbol.asyncIterator]();
    expect(toldBy((await batches.next()).value)).toEqual(['put goes', 'put stays']);
    await documents.delete(['k', 'goes'], CALL);
    await save('new');
    const { revision } = await placement.range(
      {
        range: { first: 'a', after: null },
        limit: 1,
        content: 'keys',
        consistency: 'linearizable',
      },
      CALL,
    );
    await placement.compact(revision, CALL);
    expect(toldBy((await batches.next()).value)).toEqual(['put new', 'delete goes']);
    await save('later');
    expect(toldBy((await batches.next()).value)).toEqual(['put later']);
    watch.cancel();
  });

  test('a record that cannot be read is told and does not end the watch', async () => {
    const { documents, placement, save } = await openDocuments();
    const key = documents.table.keyOf(['k', 'bad']);
    const value = new TextEncoder().encode('{"v":2}');
    const then = [{ kind: 'put', key, value, lease: null } as const];
    await placement.transact({ compare: [], then, otherwise: [], requestId: null }, CALL);
    const watch = documents.watch(WATCH);
    const batches = watch[Symbol.asyncIterator]();
    expect(toldBy((await batches.next()).value)).toEqual(['unreadable bad']);
    await save('good');
    expect(toldBy((await batches.next()).value)).toEqual(['put good']);
    watch.cancel();
  });

  test('changes between the pages of a list are told once', async () => {
    const { documents, placement, save } = await openDocuments();
    const names = Array.from({ length: 700 }, (_, index) => `d${String(index).padStart(3, '0')}`);
    await Promise.all(names.map(save));
    const { range } = placement;
    let pages = 0;
    placement.range = async (request, options) => {
      if (request.limit === 500 && (pages += 1) === 2) {
        await save('d000');
        await save('d699');
        await documents.delete(['k', 'd698'], CALL);
      }
      return range.call(placement, request, options);
    };
    const watch = documents.watch(WATCH);
    const batches = watch[Symbol.asyncIterator]();
    expect((await batches.next()).value.changes).toHaveLength(699);
    await save('end');
    const told: string[] = [];
    while (!told.includes('put end')) told.push(...toldBy((await batches.next()).value));
    expect(told).toEqual(['put d000', 'put end']);
    watch.cancel();
  });
});
