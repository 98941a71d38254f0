import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

test('members share a token, and nobody without it reads or changes anything', async () => {
  writeFileSync(join(cluster.directory, 'token'), 'a secret\n');
  const ids = [1, 2];
  await Promise.all(ids.map((id) => cluster.start(id, ids, ['cluster_token_file = "token"'])));
  const put = ['kv', 'put', 'a', 'b', '--timeout', '30'];
  await cluster.ask([...put, '--token-file', 'token'], ids);
  const servers = (await cluster.addressesOf(ids)).join(',');
  writeFileSync(join(cluster.directory, 'wrong'), 'another\n');
  for (const flags of [[], ['--token-file', 'wrong']]) {
    const { exitCode, errors } = await cluster.run(['kv', 'get', 'a', '-s', servers, ...flags]);
    expect([exitCode, errors]).toEqual([77, expect.stringContaining('token')]);
    const members = await cluster.run(['place', 'remove', '2', '-s', servers, ...flags]);
    expect(members.exitCode).toBe(77);
  }
});

test('a member that others can reach without showing anything does not start', async () => {
  await cluster.configure(1, [1], ['addr = "0.0.0.0"']);
  const { exitCode, errors } = await cluster.run(['place', 'start', 'node-1.toml']);
  expect([exitCode, errors]).toEqual([78, expect.stringContaining('cluster_token_file')]);
});
