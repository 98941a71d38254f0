import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster, put, SOON, textAt, until } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

test('a backup becomes a new cluster, which others join and the old members do not enter', async () => {
  await cluster.found([1], []);
  const old = await cluster.connect([1]);
  await old.transact(put('a', 'before'), SOON);
  await cluster.ask(['place', 'backup', 'one.bak'], [1]);
  await old.transact(put('a', 'after'), SOON);
  await cluster.stop(1);

  const file = join(cluster.directory, 'one.bak');
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(cluster.directory, 'bad.bak'), bytes);
  const words = ['--data', 'data-5', '--node-id', '5', '--address', await cluster.addressOf(5)];
  const refused = await cluster.run(['place', 'restore', 'bad.bak', ...words]);
  expect([refused.exitCode, refused.errors]).toEqual([74, expect.stringContaining('checksum')]);

  const restored = await cluster.run(['place', 'restore', 'one.bak', ...words]);
  expect([restored.exitCode, restored.errors]).toEqual([0, '']);
  await cluster.start(5, [5], []);
  await cluster.leader();
  expect(await textAt(await cluster.connect([5]), 'a')).toBe('before');

  expect(await cluster.ask(['kv', 'get', '/placement/', '--prefix', '--keys-only'], [5])).toBe(
    '/placement/members/5\n',
  );
  await cluster.start(6, [5], ['join = true']);
  await cluster.ask(['place', 'add-learner', '6', await cluster.addressOf(6)], [5]);
  await cluster.ask(['place', 'promote', '6', '--timeout', '30'], [5]);
  expect(await textAt(await cluster.connect([6]), 'a')).toBe('before');

  await cluster.configure(1, [1, 5], []);
  const stranger = cluster.launch(1);
  await until(async () => (stranger.said().includes('restored from a backup') ? true : null));
  expect(await textAt(await cluster.connect([1]), 'a')).toBe('after');
  expect(await textAt(await cluster.connect([5]), 'a')).toBe('before');
});
