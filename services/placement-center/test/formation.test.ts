import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProcessCluster, until } from './cluster.fixture.ts';

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

test('a member that was removed ends with a sentence, when it runs and when it is started again', async () => {
  await cluster.found([1, 2, 3], []);
  const leader = await cluster.leader();
  const removed = leader === 3 ? 2 : 3;
  const others = [1, 2, 3].filter((id) => id !== removed);
  const running = cluster.members.get(removed);
  await cluster.ask(['place', 'remove', String(removed)], others);
  expect(await running?.ended).toBe(78);
  const again = cluster.launch(removed);
  expect(await again.ended).toBe(78);
  expect(again.said()).toContain('was removed from the cluster');
});

test('a member that lost its disk is told to come back under another number', async () => {
  await cluster.found([1, 2, 3], []);
  await cluster.ask(['kv', 'put', 'a', 'kept'], [1, 2, 3]);
  await cluster.kill(3);
  cluster.wipe(3);
  const wiped = cluster.launch(3);
  expect(await wiped.ended).toBe(78);
  expect(wiped.said()).toContain('robustctl place remove 3');

  await cluster.ask(['place', 'remove', '3'], [1, 2]);
  await cluster.start(4, [1, 2], ['join = true']);
  await cluster.ask(['place', 'add-learner', '4', await cluster.addressOf(4)], [1, 2]);
  await until(async () => {
    const promoted = cluster.ask(['place', 'promote', '4'], [1, 2]);
    return promoted.catch(() => null);
  });
  expect(await cluster.ask(['kv', 'get', 'a'], [4])).toBe('kept\n');
});
