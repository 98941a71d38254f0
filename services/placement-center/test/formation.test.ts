import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProcessCluster } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

describe('three members', () => {
  test('form a cluster in any order of start, keep what was put, and know it after a restart', async () => {
    for (const id of [1, 2, 3]) await cluster.configure(id, [1, 2, 3], []);
    await cluster.isReady(cluster.launch(3));
    await cluster.isReady(cluster.launch(1));
    await cluster.leader();
    await cluster.ask(['kv', 'put', 'a', 'with two'], [1]);
    await cluster.isReady(cluster.launch(2));
    expect(await cluster.ask(['kv', 'get', 'a'], [2])).toBe('with two\n');

    const codes = await Promise.all([1, 2, 3].map((id) => cluster.stop(id)));
    expect(codes).toEqual([0, 0, 0]);
    for (const id of [2, 3, 1]) cluster.launch(id);
    expect(await cluster.ask(['kv', 'get', 'a', '--timeout', '30'], [1, 2, 3])).toBe('with two\n');
  });

  test('are watched, listed and asked with robustctl', async () => {
    await cluster.found([1, 2, 3], []);
    await cluster.ask(['kv', 'put', '/w/1', 'one'], [1, 2, 3]);
    const words = [
      'kv',
      'watch',
      '/w/',
      '--prefix',
      '--from',
      '1',
      '--count',
      '3',
      '--output',
      'json',
    ];
    const watched = cluster.ask(words, [2]);
    await cluster.ask(['kv', 'put', '/w/2', 'two', '--lease-ttl', '600'], [3]);
    await cluster.ask(['kv', 'del', '/w/1'], [1]);
    const lines = (await watched).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { kind: 'put', key: '/w/1', value: 'one' },
      { kind: 'put', key: '/w/2', value: 'two' },
      { kind: 'delete', key: '/w/1' },
    ]);
    expect(await cluster.ask(['kv', 'get', '/w/', '--prefix'], [1, 2, 3])).toBe('/w/2\ttwo\n');
    const members = await cluster.ask(['place', 'members', '--output', 'json'], [1, 2, 3]);
    expect(JSON.parse(members)).toMatchObject({
      members: [1, 2, 3].map((nodeId) => ({ nodeId, voter: true })),
    });
    const status = await cluster.ask(['place', 'status', '--output', 'json'], [1, 2, 3]);
    const { members: told } = JSON.parse(status) as { members: { role: string }[] };
    expect(told.filter(({ role }) => role === 'leader').length).toBe(1);
  });
});
