import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster, put, SOON, textAt, until } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

test('a member that took over the address of a removed one is no stranger to those restarted later', async () => {
  await cluster.found([1, 2, 3], []);
  const { nodeId: gone } = await cluster.status(3);
  await cluster.kill(gone);
  await cluster.ask(['place', 'remove', '3'], [1, 2]);
  const address = await cluster.addressOf(3);
  const port = address.slice(address.lastIndexOf(':') + 1);
  await cluster.start(4, [1, 2], ['join = true', `grpc_port = ${port}`]);
  await cluster.ask(['place', 'add-learner', '4', address], [1, 2]);
  await cluster.ask(['place', 'promote', '4', '--timeout', '30'], [1, 2]);
  expect(await cluster.stop(1)).toBe(0);
  await cluster.isReady(cluster.launch(1));
  await cluster.kill(2);
  const placement = await cluster.connect([1]);
  await placement.transact(put('a', 'by 1 and 4'), SOON);
  expect(await textAt(placement, 'a')).toBe('by 1 and 4');
});

test('a member of a running group goes on when a stranger has the address of one that never came', async () => {
  await Promise.all([1, 2].map((id) => cluster.start(id, [1, 2, 3], [])));
  await cluster.leader();
  const running = [...cluster.members.values()];
  await cluster.start(3, [3], ['cluster_name = "other"']);
  for (const member of running) {
    await until(async () => {
      if (member.child.exitCode !== null) throw new Error(`ended: ${member.said()}`);
      return member.said().includes('placement.wrong_peer') ? true : null;
    });
  }
  await cluster.ask(['kv', 'put', 'a', 'kept'], [1, 2]);
  expect(await cluster.ask(['kv', 'get', 'a'], [1, 2])).toBe('kept\n');
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
