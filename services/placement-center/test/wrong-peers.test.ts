import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProcessCluster } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

describe('a wrong line in the configuration', () => {
  test('own number not among the members: told before anything starts', async () => {
    await cluster.configure(4, [1, 2, 3], []);
    const { exitCode, errors } = await cluster.run(['place', 'start', 'node-4.toml']);
    expect([exitCode, errors]).toEqual([78, expect.stringContaining('set join = true')]);
  });

  test('an address twice: told before anything starts', async () => {
    const address = await cluster.addressOf(1);
    await cluster.configure(1, [1], [`nodes = { 1 = "${address}", 2 = "${address}" }`]);
    const { exitCode, errors } = await cluster.run([
      'config',
      'check',
      'node-1.toml',
      '--component',
      'place',
    ]);
    expect([exitCode, errors]).toEqual([78, expect.stringContaining('each member has its own')]);
  });

  const rows = [
    ['cluster_name = "other"', 'belongs to the cluster "other"', 'a peer of another cluster'],
    ['node_id = 3', 'says that it is member 3', 'a peer with another number'],
    ['node_id = 1', 'two members have the same node_id', 'a peer with the own number'],
  ] as const;
  for (const [line, sentence, why] of rows) {
    test(`${why}: the member ends with a sentence`, async () => {
      const [first, second] = await cluster.addressesOf([1, 2]);
      const nodes = `nodes = { 1 = "${first ?? ''}", 2 = "${second ?? ''}" }`;
      const strangers = line.startsWith('node_id')
        ? [line, `nodes = { ${line.slice(-1)} = "${second ?? ''}" }`]
        : [line];
      await cluster.start(2, [2], strangers);
      await cluster.configure(1, [1], [nodes]);
      const member = cluster.launch(1);
      expect(await member.ended).toBe(78);
      expect(member.said()).toContain(sentence);
    });
  }

  test('data of another member: the member does not start', async () => {
    await cluster.start(1, [1], []);
    await cluster.stop(1);
    await cluster.configure(2, [2], ['data_path = "data-1"']);
    const member = cluster.launch(2);
    expect(await member.ended).toBe(78);
    expect(member.said()).toContain('is that of member 1');
  });
});
