import { FaultyFileSystem } from '@robustmq/environment';
import type { LogIndex, NodeId } from '@robustmq/raft';
import { describe, expect, test } from 'vitest';
import { TestCluster, type TestClusterOptions, type TestNode } from './testing/test-cluster.ts';

const SMALL: TestClusterOptions = {
  host: { segmentBytesMax: 2000 },
  group: {
    compaction: { logEntriesMax: 20, logBytesMax: 1_000_000, slackEntries: 5 },
    raftOptions: { snapshotChunkBytesMax: 700 },
  },
};

function itemsOf(node: TestNode): readonly string[] {
  return node.machine?.items ?? [];
}

async function proposeMany(cluster: TestCluster, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 1) await cluster.propose(`item ${at} ${'x'.repeat(50)}`);
}

function expected(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `item ${at} ${'x'.repeat(50)}`);
}

function names(node: TestNode, suffix: string): Promise<readonly string[]> {
  return node.disk
    .list('data/groups/list')
    .then((all) => all.filter((name) => name.endsWith(suffix)));
}

describe('compaction', () => {
  test('forgets what the machine has made durable, and keeps a slack', async () => {
    const cluster = await TestCluster.found(1, SMALL);
    const node = cluster.nodes[0] as TestNode;
    await proposeMany(cluster, 0, 100);
    await cluster.pass(1);
    const status = node.group?.status;
    expect(status?.firstIndex).toBeGreaterThan(70);
    expect((await names(node, '.raftlog')).length).toBeLessThan(5);
    expect(await names(node, '.snapshot')).toEqual([]);
    await cluster.crash(node);
    await cluster.start(node);
    await cluster.until(() => itemsOf(node).length === 100);
    expect(itemsOf(node)).toEqual(expected(100));
    await cluster.stopAll();
  });

  test('on demand writes a file, and the log begins after it', async () => {
    const cluster = await TestCluster.found(1);
    const node = cluster.nodes[0] as TestNode;
    await proposeMany(cluster, 0, 10);
    const index = await cluster.during(node.group?.takeSnapshot() as Promise<LogIndex>);
    expect(node.group?.status.firstIndex).toBe(index + 1);
    expect(await names(node, '.snapshot')).toHaveLength(1);
    await cluster.stopAll();
  });

  test('deletes the file that nobody reads any more', async () => {
    const cluster = await TestCluster.found(1);
    const node = cluster.nodes[0] as TestNode;
    await proposeMany(cluster, 0, 3);
    await cluster.during(node.group?.takeSnapshot() as Promise<LogIndex>);
    cluster.timers.clock.advance(400_000);
    await cluster.pass(2);
    expect(await names(node, '.snapshot')).toEqual([]);
    await cluster.stopAll();
  });
});

describe('a follower that is too far behind', () => {
  test('gets the content in a snapshot, then the log', async () => {
    const cluster = await TestCluster.found(3, SMALL);
    const leader = await cluster.leader();
    const late = cluster.nodes.find((node) => node !== leader) as TestNode;
    await proposeMany(cluster, 0, 5);
    await cluster.crash(late);
    await proposeMany(cluster, 5, 120);
    await cluster.start(late);
    await cluster.until(() => itemsOf(late).length === 120);
    expect(late.machine?.installs).toBe(1);
    await proposeMany(cluster, 120, 125);
    await cluster.until(() => itemsOf(late).length === 125);
    expect(itemsOf(late)).toEqual(expected(125));
    await cluster.crash(late);
    await cluster.start(late);
    await cluster.until(() => itemsOf(late).length === 125);
    expect(itemsOf(late)).toEqual(expected(125));
    await cluster.stopAll();
  });

  test('may be a learner that never had anything', async () => {
    const cluster = await TestCluster.found(1, SMALL);
    await proposeMany(cluster, 0, 60);
    const { group } = await cluster.leader();
    const learner = cluster.addNode(2 as NodeId);
    await cluster.start(learner);
    const change = group?.changeMembership([{ kind: 'addLearner', node: learner.id }], 60_000);
    await cluster.during(change as Promise<unknown>);
    await cluster.until(() => itemsOf(learner).length === 60);
    expect(itemsOf(learner)).toEqual(expected(60));
    expect(learner.machine?.installs).toBe(1);
    expect(learner.group?.status.configuration.learners).toEqual([2]);
    await cluster.stopAll();
  });

  test('shares the file with others that need it', async () => {
    const cluster = await TestCluster.found(1, SMALL);
    await proposeMany(cluster, 0, 60);
    const leader = await cluster.leader();
    const learners = [2, 3, 4].map((id) => cluster.addNode(id as NodeId));
    for (const learner of learners) await cluster.start(learner);
    const changes = learners.map(({ id }) => ({ kind: 'addLearner' as const, node: id }));
    await cluster.during(leader.group?.changeMembership(changes, 60_000) as Promise<unknown>);
    await cluster.until(() => learners.every((learner) => itemsOf(learner).length === 60));
    for (const learner of learners) expect(itemsOf(learner)).toEqual(expected(60));
    expect(leader.machine?.snapshots).toBe(1);
    await cluster.stopAll();
  });

  test('gets a new file when the first one is damaged', async () => {
    const cluster = await TestCluster.found(1, SMALL);
    await proposeMany(cluster, 0, 60);
    const leader = await cluster.leader();
    await cluster.during(leader.group?.takeSnapshot() as Promise<LogIndex>);
    const [name = ''] = await names(leader, '.snapshot');
    leader.disk.flipBits(`data/groups/list/${name}`, 3000, 8);
    const learner = cluster.addNode(2 as NodeId);
    await cluster.start(learner);
    const changes = [{ kind: 'addLearner' as const, node: learner.id }];
    await cluster.during(leader.group?.changeMembership(changes, 60_000) as Promise<unknown>);
    await cluster.until(() => itemsOf(learner).length === 60);
    expect(itemsOf(learner)).toEqual(expected(60));
    expect(leader.host?.counters.snapshotFailures).toBeGreaterThan(0);
    await cluster.stopAll();
  });

  test('gets it when its disk has room again', async () => {
    const cluster = await TestCluster.found(1, SMALL);
    await proposeMany(cluster, 0, 60);
    const leader = await cluster.leader();
    const learner = cluster.addNode(2 as NodeId);
    let isFull = true;
    learner.wrap = (disk) =>
      new FaultyFileSystem(disk, ({ kind, path }) =>
        isFull && kind === 'write' && path.includes('.snapshot.tmp')
          ? { kind: 'fail', code: 'ENOSPC' }
          : null,
      );
    await cluster.start(learner);
    const changes = [{ kind: 'addLearner' as const, node: learner.id }];
    await cluster.during(leader.group?.changeMembership(changes, 60_000) as Promise<unknown>);
    await cluster.until(() => (learner.host?.counters.snapshotFailures ?? 0) > 1);
    expect(learner.fatal).toEqual([]);
    isFull = false;
    await cluster.until(() => itemsOf(learner).length === 60);
    expect(itemsOf(learner)).toEqual(expected(60));
    await cluster.stopAll();
  });

  test('recovers from a loss of power at any operation of the installation', async () => {
    let crashes = 0;
    for (let crashAt = 12; crashAt < 90; crashAt += 1) {
      const cluster = await TestCluster.found(1, SMALL);
      await proposeMany(cluster, 0, 40);
      const { group } = await cluster.leader();
      const learner = cluster.addNode(2 as NodeId);
      let left = learner.disk;
      learner.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ number }) => {
          if (number !== crashAt) return null;
          left = disk.crashClone(crashAt);
          return { kind: 'crash' };
        });
      await cluster.start(learner).catch(() => undefined);
      const change = group?.changeMembership([{ kind: 'addLearner', node: learner.id }], 60_000);
      await cluster.during(change as Promise<unknown>);
      for (let tick = 0; tick < 15 && left === learner.disk; tick += 1) await cluster.pass(1);
      if (left !== learner.disk) crashes += 1;
      await cluster.stop(learner).catch(() => undefined);
      learner.disk = left;
      learner.wrap = (disk) => disk;
      // A machine's database may have lost what was not flushed, never what an installation put there.
      const memberLost = (await learner.disk.status('data/identity')) === null;
      if (!memberLost) {
        await cluster.start(learner);
        await cluster.until(() => itemsOf(learner).length === 40);
        expect(itemsOf(learner), `crash at ${crashAt}`).toEqual(expected(40));
      }
      await cluster.stopAll();
    }
    expect(crashes).toBeGreaterThan(20);
  });
});
