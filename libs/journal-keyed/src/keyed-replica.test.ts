import type { KeyedRecord } from '@robustmq/journal';
import { afterEach, describe, expect, test } from 'vitest';
import { KeyedCluster } from './cluster.fixture.ts';
import type { KeyedReplica } from './keyed-replica.ts';

const SOON_MS = 5000;

let cluster: KeyedCluster;

afterEach(() => cluster.close());

function valueOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(record: KeyedRecord | null): string | null {
  return record === null ? null : new TextDecoder().decode(record.value);
}

function put(replica: KeyedReplica, key: string, text: string): Promise<readonly boolean[]> {
  return replica.write([{ key, fence: 1, value: valueOf(text) }], SOON_MS);
}

describe('a keyed shard of one replica', () => {
  test('has what was written after a restart, and counts on', async () => {
    cluster = await KeyedCluster.found(1);
    const { replica } = await cluster.leader();
    expect(await put(replica, 'a', 'one')).toEqual([true]);
    expect(await put(replica, 'b', 'two')).toEqual([true]);
    expect(await replica.write([{ key: 'a', fence: 2, value: null }], SOON_MS)).toEqual([true]);
    await cluster.stop(1);
    await cluster.start(1, 'join');
    const again = (await cluster.leader()).replica;
    expect(await again.revision(SOON_MS)).toBe(3);
    expect(textOf(await again.read('a', SOON_MS))).toBeNull();
    expect(textOf(await again.read('b', SOON_MS))).toBe('two');
    expect(await put(again, 'a', 'refused')).toEqual([false]);
    expect(again.status).toMatchObject({ revision: 3, keys: 1, removals: 1 });
  });
});
