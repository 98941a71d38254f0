import { FaultyFileSystem, SeededRandom } from '@robustmq/environment';
import type { Offset } from '@robustmq/journal';
import { describe, expect, test } from 'vitest';
import type { FoundDamage } from './segment-scrub.ts';
import {
  readAll,
  ShardCluster,
  type TestNode,
  TestProducer,
  textOf,
} from './testing/shard-cluster.ts';

const LOG = 'data/groups/shard-7';

/** Three replicas that have it all in several files, and nothing in memory. */
async function filled(
  limits = { segmentBytesMax: 4096 },
  appends = 60,
): Promise<{ cluster: ShardCluster; expected: string[] }> {
  const cluster = await ShardCluster.found(3, { limits });
  const producer = new TestProducer(1);
  const expected: string[] = [];
  for (let at = 0; at < appends; at += 1) {
    const texts = [`t${at % 4}:${at}${'x'.repeat(250)}`, `t${at % 3}:${at}`];
    expected.push(...texts);
    await cluster.append(producer, ...texts);
  }
  await cluster.converge();
  for (const node of cluster.nodes) await restart(cluster, node);
  await cluster.converge();
  return { cluster, expected };
}

async function restart(cluster: ShardCluster, node: TestNode): Promise<void> {
  await cluster.stop(node);
  await cluster.start(node);
}

/** The complete files of a node's log. */
async function completeFiles(node: TestNode): Promise<string[]> {
  const names = (await node.disk.list(LOG)).filter((name) => name.endsWith('.raftlog'));
  return names.slice(0, -1).map((name) => `${LOG}/${name}`);
}

describe('a flipped bit', () => {
  test('is never served, and mended from another replica, wherever it is', async () => {
    const { cluster, expected } = await filled();
    const random = new SeededRandom(5);
    for (let round = 0; round < 60; round += 1) {
      const node = cluster.nodes[random.below(3)] as TestNode;
      const files = await completeFiles(node);
      const path = files[random.below(files.length)] as string;
      const length = (await node.disk.status(path))?.byteLength ?? 0;
      const before = await contentOf(node, path);
      node.disk.flipBits(path, 57 + random.below(length - 57), 1 + random.below(2));
      const served = await cluster.during(readAll(node.replica));
      expect(served.map(textOf), `round ${round}, ${path}`).toEqual(expected);
      expect(await node.replica?.verify(), `round ${round}, ${path}`).toEqual([]);
      expect(await contentOf(node, path)).toEqual(before);
      expect((await readAll(node.replica)).map(textOf)).toEqual(expected);
      await restart(cluster, node);
      await cluster.converge();
    }
    await cluster.stopAll();
  });

  test('is found by looking through the files in the background', async () => {
    const limits = { segmentBytesMax: 4096, scrubBytesPerSecond: () => 5000 };
    const { cluster, expected } = await filled(limits);
    const node = cluster.nodes[1] as TestNode;
    const [path = ''] = (await completeFiles(node)).slice(3);
    node.disk.flipBits(path, 1000, 1);
    await cluster.until(() => node.replica?.status.scrub.mended === 1);
    expect((await readAll(node.replica)).map(textOf)).toEqual(expected);
    await cluster.until(() => (node.replica?.status.scrub.passes ?? 0) >= 1);
    expect(node.replica?.status.scrub).toMatchObject({ damagedFound: 1, mended: 1 });
    await cluster.stopAll();
  });

  test('stays told while no other replica has the entries', async () => {
    const cluster = await ShardCluster.found(1);
    const [node] = cluster.nodes as [TestNode];
    const producer = new TestProducer(1);
    for (let at = 0; at < 40; at += 1) await cluster.append(producer, `t:${at}${'x'.repeat(300)}`);
    await restart(cluster, node);
    await cluster.converge();
    const [path = ''] = await completeFiles(node);
    node.disk.flipBits(path, 600, 1);
    expect(await node.replica?.verify()).toHaveLength(1);
    await expect(readAll(node.replica)).rejects.toMatchObject({
      fault: { code: 'JOURNAL_RECORD_CORRUPT' },
    });
    const reader = node.replica?.openReader(20 as Offset, { kind: 'everything' });
    expect(await reader?.read(1, 1)).toHaveLength(1);
    expect(node.fatal).toEqual([]);
    await cluster.stopAll();
  });

  test('is waited for while a replica that may have the entries does not answer', async () => {
    let answers = false;
    const found: FoundDamage[] = [];
    const cluster: ShardCluster = await ShardCluster.found(3, {
      onDamage: (damage) => void found.push(damage),
      fetchEntries: async (from, through) => {
        if (!answers) throw new Error('node 9 is away');
        return (await cluster.leader()).encodeEntries(from, through);
      },
    });
    const producer = new TestProducer(1);
    for (let at = 0; at < 40; at += 1) await cluster.append(producer, `t:${at}${'x'.repeat(300)}`);
    const leader = await cluster.leaderNode();
    const node = cluster.nodes.find((each) => each !== leader) as TestNode;
    await restart(cluster, node);
    await cluster.converge();
    const [path = ''] = await completeFiles(node);
    node.disk.flipBits(path, 600, 1);
    const refused = cluster.during(readAll(node.replica));
    await expect(refused).rejects.toMatchObject({ fault: { code: 'RAFT_UNAVAILABLE' } });
    expect(found.at(-1)).toMatchObject({ file: path, outcome: 'unanswered' });
    expect(found.at(-1)?.detail).toContain('node 9 is away');
    answers = true;
    await cluster.pass(20);
    expect(await cluster.during(readAll(node.replica))).toHaveLength(40);
    expect(found.at(-1)).toMatchObject({ file: path, outcome: 'mended' });
    await cluster.stopAll();
  });

  test('on the leader does not stop it: a follower that needs the place waits until it is mended', async () => {
    const { cluster, expected } = await filled();
    const leader = await cluster.leaderNode();
    const [follower, other] = cluster.nodes.filter((node) => node !== leader) as [
      TestNode,
      TestNode,
    ];
    await cluster.stop(follower);
    const producer = new TestProducer(2);
    for (let at = 0; at < 30; at += 1) {
      const text = `t:${at}${'y'.repeat(300)}`;
      expected.push(text);
      await cluster.append(producer, text);
    }
    // What is in memory would be sent from there.
    await restart(cluster, other);
    await restart(cluster, leader);
    await cluster.leader();
    for (const node of [leader, other]) {
      const path = (await completeFiles(node)).at(-1) as string;
      node.disk.flipBits(path, node === leader ? 500 : 2500, 1);
    }
    await cluster.start(follower);
    await cluster.converge();
    expect((await readAll(follower.replica)).map(textOf)).toEqual(expected);
    expect(leader.fatal).toEqual([]);
    await cluster.stopAll();
  });
});

describe('mending', () => {
  test('that is cut short anywhere leaves the damaged file or the mended one', async () => {
    for (let cutAt = 0; ; cutAt += 1) {
      const { cluster, expected } = await filled({ segmentBytesMax: 4096 }, 26);
      const node = cluster.nodes[0] as TestNode;
      let left = Number.POSITIVE_INFINITY;
      await cluster.stop(node);
      node.wrap = (disk) =>
        new FaultyFileSystem(disk, ({ kind }) => {
          if (!['write', 'syncData', 'rename', 'syncDirectory', 'open'].includes(kind)) return null;
          left -= 1;
          return left < 0 ? { kind: 'crash' } : null;
        });
      await cluster.start(node);
      await cluster.converge();
      const [path = ''] = await completeFiles(node);
      node.disk.flipBits(path, 900, 1);
      left = cutAt;
      const verified = await node.replica?.verify().catch(() => null);
      left = Number.POSITIVE_INFINITY;
      node.wrap = (disk) => disk;
      await cluster.crash(node);
      await cluster.start(node);
      await cluster.converge();
      expect(await node.replica?.verify(), `cut at ${cutAt}`).toEqual([]);
      expect((await readAll(node.replica)).map(textOf)).toEqual(expected);
      await cluster.stopAll();
      if (verified !== null) break;
    }
  });
});

async function contentOf(node: TestNode, path: string): Promise<Uint8Array> {
  const file = await node.disk.open(path, 'read');
  const bytes = new Uint8Array(await file.byteLength());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}
