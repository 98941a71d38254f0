import { MemoryFileSystem } from '@robustmq/environment';
import type { JournalError, Offset } from '@robustmq/journal';
import { describe, expect, test } from 'vitest';
import {
  readAll,
  ShardCluster,
  type TestNode,
  TestProducer,
  textOf,
} from './testing/shard-cluster.ts';

const BODY = 'x'.repeat(300);
const segmentBytesMax = 4096;

async function fill(cluster: ShardCluster, producer: TestProducer, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await cluster.append(producer, `t:${BODY}`);
}

async function faultOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: JournalError) => error.fault,
  );
}

describe('retention', () => {
  test('by age lets whole files go that nobody needs, on all replicas', async () => {
    let needed = 5;
    const cluster = await ShardCluster.found(3, {
      limits: { segmentBytesMax, retention: () => ({ ageMsMax: 60_000 }) },
      neededFrom: () => needed as Offset,
    });
    const producer = new TestProducer(1);
    await fill(cluster, producer, 40);
    await cluster.pass(50);
    expect((await cluster.leader()).oldest).toBe(0);
    await cluster.pass(700);
    await fill(cluster, producer, 20);
    await cluster.pass(120);
    expect((await cluster.leader()).oldest, 'a reader is at 5').toBe(0);
    needed = 100;
    await cluster.pass(120);
    await cluster.converge();
    for (const { replica } of cluster.nodes) {
      expect(replica?.oldest).toBeGreaterThan(25);
      expect((await readAll(replica)).length).toBe(60 - (replica?.oldest ?? 0));
    }
    await cluster.stopAll();
  });

  test('at the hard limit drops the oldest when it is told to, needed or not', async () => {
    const retention = { bytesHardMax: 20_000, atHardLimit: 'dropOldest' } as const;
    const cluster = await ShardCluster.found(1, {
      limits: { segmentBytesMax, retention: () => retention },
      neededFrom: () => 0 as Offset,
    });
    const producer = new TestProducer(1);
    for (let round = 0; round < 10; round += 1) {
      await fill(cluster, producer, 20);
      await cluster.pass(110);
      expect((await cluster.leader()).status.bytes).toBeLessThanOrEqual(20_000);
    }
    const leader = await cluster.leader();
    expect(leader.end).toBe(200);
    expect(leader.oldest).toBeGreaterThan(140);
    await cluster.stopAll();
  });

  test('at the hard limit refuses when it is told to, until there is room', async () => {
    const retention = { bytesHardMax: 20_000, atHardLimit: 'refuse' } as const;
    const cluster = await ShardCluster.found(1, {
      limits: { segmentBytesMax, retention: () => retention },
    });
    const producer = new TestProducer(1);
    const leader = await cluster.leader();
    let refused: unknown = null;
    while (refused === null) refused = await faultOf(cluster.append(producer, `t:${BODY}`));
    expect(refused).toMatchObject({ code: 'JOURNAL_FULL', limit: 'configured' });
    expect(leader.status.bytes).toBeGreaterThan(19_000);
    producer.sequence -= 2;
    const repeated = producer.next([`t:${BODY}`]);
    expect(await cluster.during(leader.append(repeated, 5000)), 'a repetition').toEqual({
      kind: 'duplicate',
      base: leader.end - 1,
    });
    await cluster.during(leader.trimBefore(30 as Offset, 5000));
    await cluster.pass(2);
    expect(await cluster.append(producer, `t:${BODY}`)).toMatchObject({ kind: 'appended' });
    await cluster.stopAll();
  });
});

describe('a disk that is nearly full', () => {
  function withCapacity(cluster: ShardCluster, id: number, bytes: number): TestNode {
    const node = cluster.addNode(id as TestNode['id']);
    node.disk = new MemoryFileSystem(bytes);
    return node;
  }

  test('refuses appends, serves reads, and goes on when there is room', async () => {
    const cluster = new ShardCluster({ diskFreeBytesMin: 16_000 });
    const node = withCapacity(cluster, 1, 60_000);
    await cluster.start(node, { kind: 'found', voters: [node.id] });
    const producer = new TestProducer(1);
    const expected: string[] = [];
    let refused: unknown = null;
    for (let at = 0; refused === null; at += 1) {
      const text = `t:${at}${BODY}`;
      refused = await faultOf(cluster.append(producer, text));
      if (refused === null) expected.push(text);
      await cluster.pass(10);
    }
    expect(refused).toMatchObject({ code: 'JOURNAL_FULL', limit: 'disk' });
    expect((await readAll(node.replica)).map(textOf)).toEqual(expected);
    producer.sequence -= 1;
    await cluster.during((await cluster.leader()).trimBefore(60 as Offset, 5000));
    await cluster.pass(20);
    expect(await cluster.append(producer, 't:more')).toMatchObject({ base: expected.length });
    expect(node.fatal).toEqual([]);
    await cluster.stopAll();
  });

  test('under a follower makes it wait, not fail; the others go on, and it catches up later', async () => {
    const cluster = new ShardCluster({ diskFreeBytesMin: 16_000 });
    const small = withCapacity(cluster, 3, 40_000);
    const large = [1, 2].map((id) => withCapacity(cluster, id, 10_000_000));
    const voters = [1, 2, 3] as TestNode['id'][];
    for (const node of [...large, small]) await cluster.start(node, { kind: 'found', voters });
    if ((await cluster.leaderNode()) === small) {
      const leader = await cluster.leader();
      await cluster.during(leader.transferLeadership(1 as TestNode['id'], 5000));
    }
    const producer = new TestProducer(1);
    for (let at = 0; at < 200; at += 1) {
      await cluster.append(producer, `t:${at}${BODY}`);
      if (at % 5 === 0) await cluster.pass(2);
    }
    await cluster.pass(30);
    expect(small.replica?.end).toBeLessThan(120);
    expect(small.fatal).toEqual([]);
    const leader = await cluster.leader();
    await cluster.during(leader.trimBefore(180 as Offset, 5000));
    await cluster.pass(20);
    await cluster.stop(small);
    const grown = new MemoryFileSystem(10_000_000);
    await copyAll(small.disk, grown);
    small.disk = grown;
    await cluster.start(small);
    await cluster.converge();
    expect((await readAll(small.replica)).map(textOf)).toEqual(
      Array.from({ length: 20 }, (_, at) => `t:${at + 180}${BODY}`),
    );
    await cluster.stopAll();
  });
});

/** The operator gives the disk more room. */
async function copyAll(from: MemoryFileSystem, to: MemoryFileSystem, path = 'data'): Promise<void> {
  await to.makeDirectory(path);
  for (const name of await from.list(path)) {
    const child = `${path}/${name}`;
    const status = await from.status(child);
    if (status?.kind === 'directory') await copyAll(from, to, child);
    else if (status !== null) {
      const source = await from.open(child, 'read');
      const bytes = new Uint8Array(status.byteLength);
      await source.read(bytes, 0);
      await source.close();
      const target = await to.open(child, 'create');
      await target.write(bytes, 0);
      await target.syncData();
      await target.close();
    }
  }
}
