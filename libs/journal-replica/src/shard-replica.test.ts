import { SeededRandom } from '@robustmq/environment';
import { describe, expect, test } from 'vitest';
import type { Offset } from '@robustmq/journal';
import type { NodeId } from '@robustmq/raft';
import type { ShardReplica } from './shard-replica.ts';
import { readAll, ShardCluster, TestProducer, textOf } from './testing/shard-cluster.ts';

async function texts(cluster: ShardCluster): Promise<readonly string[][]> {
  const found: string[][] = [];
  for (const { replica } of cluster.nodes) {
    if (replica !== null) found.push((await readAll(replica)).map(textOf));
  }
  return found;
}

describe('a shard on one node', () => {
  test('has nothing to read before its first record', async () => {
    const cluster = await ShardCluster.found(1);
    const replica = await cluster.leader();
    const reader = replica.openReader(0 as Offset, { kind: 'everything' });
    expect(await reader.read(10, 1000)).toEqual([]);
    await cluster.append(new TestProducer(1), 'a:1');
    expect((await reader.read(10, 1000)).map(textOf)).toEqual(['a:1']);
    await cluster.stopAll();
  });

  test('gives offsets without gaps and reads back what was appended', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    expect(await cluster.append(producer, 'a:1', 'b:2')).toEqual({ kind: 'appended', base: 0 });
    expect(await cluster.append(producer, 'a:3')).toEqual({ kind: 'appended', base: 2 });
    const replica = await cluster.leader();
    const records = await readAll(replica);
    expect(records.map(({ offset, topic }) => [offset, topic])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'a'],
    ]);
    expect(records.map(textOf)).toEqual(['a:1', 'b:2', 'a:3']);
    expect(textOf((await replica.readAt(1 as Offset)) as never)).toBe('b:2');
    expect(await replica.readAt(3 as Offset)).toBeNull();
    const ofA = { kind: 'topics', exact: ['a'], matches: null } as const;
    expect((await readAll(replica, 0, ofA)).map(textOf)).toEqual(['a:1', 'a:3']);
    await cluster.stopAll();
  });

  test('survives the loss of power over many segments, indexes and states included', async () => {
    const cluster = await ShardCluster.found(1);
    const [node] = cluster.nodes as [(typeof cluster.nodes)[0]];
    const random = new SeededRandom(11);
    const producer = new TestProducer(1);
    const expected: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (let at = 0; at < 20; at += 1) {
        const added = Array.from(
          { length: 1 + random.below(3) },
          (_, i) => `t${random.below(5)}:${'x'.repeat(random.below(150))}${expected.length + i}`,
        );
        expected.push(...added);
        await cluster.append(producer, ...added);
      }
      if (round % 3 === 2) await cluster.crash(node);
      else await cluster.stop(node);
      if (round === 5) {
        for (const name of await node.disk.list('data/shards/7')) {
          if (name.endsWith('.index')) await node.disk.unlink(`data/shards/7/${name}`);
        }
      }
      if (round === 8) {
        for (const name of await node.disk.list('data/shards/7')) {
          if (random.below(2) === 0) await node.disk.unlink(`data/shards/7/${name}`);
        }
      }
      await cluster.start(node);
      await cluster.converge();
      expect((await readAll(node.replica)).map(textOf), `round ${round}`).toEqual(expected);
    }
    expect(node.replica?.status.segments).toBeGreaterThan(5);
    const topic = { kind: 'topics', exact: ['t3'], matches: null } as const;
    expect((await readAll(node.replica, 0, topic)).map(textOf)).toEqual(
      expected.filter((text) => text.startsWith('t3:')),
    );
    await cluster.stopAll();
  });

  test('keeps the time of appends, never backwards, and finds records by it', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    const times: number[] = [];
    const began: number[] = [];
    for (let at = 0; at < 60; at += 1) {
      began.push(cluster.timers.clock.nowMs());
      await cluster.append(producer, `t:${at}${'x'.repeat(300)}`);
      await cluster.pass(1 + (at % 3));
    }
    const replica = await cluster.leader();
    const records = await readAll(replica);
    for (const { appendedAtMs } of records) times.push(appendedAtMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const [at, time] of times.entries()) {
      expect(time, `record ${at}`).toBeGreaterThanOrEqual(began[at] ?? 0);
      expect(time, `record ${at}`).toBeLessThan(began[at + 1] ?? Number.POSITIVE_INFINITY);
    }
    for (const atMs of [0, ...times, ...times.map((time) => time + 1)]) {
      const found = times.findIndex((time) => time >= atMs);
      expect(await replica.offsetAt(atMs)).toBe(found < 0 ? times.length : found);
    }
    await cluster.stopAll();
  });
});

describe('producers', () => {
  test('an append that is repeated is written once and answers alike', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    const leader = await cluster.leader();
    const first = producer.next(['a:1', 'a:2']);
    const second = producer.next(['a:3']);
    const results = await cluster.during(
      Promise.all([first, second, first, second].map((each) => leader.append(each, 5000))),
    );
    expect(results).toEqual([
      { kind: 'appended', base: 0 },
      { kind: 'appended', base: 2 },
      { kind: 'duplicate', base: 0 },
      { kind: 'duplicate', base: 2 },
    ]);
    expect((await readAll(leader)).map(textOf)).toEqual(['a:1', 'a:2', 'a:3']);
    await cluster.stopAll();
  });

  test('an append whose predecessor is missing is not written', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    producer.sequence = 3;
    expect(await cluster.append(producer, 'a:1')).toEqual({ kind: 'outOfOrder', expected: 1 });
    producer.sequence = 0;
    await cluster.append(producer, 'a:1');
    producer.sequence = 2;
    expect(await cluster.append(producer, 'a:3')).toEqual({ kind: 'outOfOrder', expected: 2 });
    await cluster.stopAll();
  });

  test('a fenced incarnation and lower ones are refused, also after a restart; a higher one is not', async () => {
    const cluster = await ShardCluster.found(1);
    const [node] = cluster.nodes as [(typeof cluster.nodes)[0]];
    const producer = new TestProducer(4, 2);
    await cluster.append(producer, 'a:1');
    await cluster.during((await cluster.leader()).fence({ id: 4, incarnation: 2 }, 5000));
    expect(await cluster.append(producer, 'a:2')).toEqual({ kind: 'fenced', incarnation: 2 });
    await cluster.crash(node);
    await cluster.start(node);
    expect(await cluster.append(new TestProducer(4, 1), 'a:2')).toMatchObject({ kind: 'fenced' });
    expect(await cluster.append(new TestProducer(4, 3), 'a:3')).toMatchObject({ base: 1 });
    expect(await cluster.append(new TestProducer(4, 2), 'a:2')).toMatchObject({ kind: 'fenced' });
    await cluster.stopAll();
  });
});

describe('acknowledgements', () => {
  const places = [
    ['memory', 'in memory'],
    ['leader', 'on the disk of the leader'],
  ] as const;
  for (const [acknowledgement, where] of places) {
    test(`${acknowledgement}: an append settles once it is ${where}, and may be lost with it`, async () => {
      const cluster = await ShardCluster.found(3);
      const producer = new TestProducer(1);
      await cluster.append(producer, 't:0');
      await cluster.converge();
      const old = await cluster.leaderNode();
      const { id } = old;
      const replica = old.replica as ShardReplica;
      cluster.network.cut((from, to) => from === id || to === id);
      let isCommitted = false;
      const early = ['t:1', 't:2'].map((text) =>
        replica.append({ ...producer.next([text]), acknowledgement }, 60_000),
      );
      replica.append(producer.next(['t:3']), 60_000).then(
        () => void (isCommitted = true),
        () => undefined,
      );
      expect(await Promise.all(early)).toEqual([
        { kind: 'appended', base: 1 },
        { kind: 'appended', base: 2 },
      ]);
      expect(isCommitted).toBe(false);
      expect(replica.end).toBe(1);
      await cluster.crash(old);
      cluster.network.cut(() => false);
      // The one before it was promised to be there: it is not written behind the gap.
      const next = producer.next(['t:4']);
      expect(await cluster.during((await cluster.leader()).append(next, 9000))).toEqual({
        kind: 'outOfOrder',
        expected: 2,
      });
      producer.sequence = 3;
      const behind = { ...producer.next(['t:3']), mayMissFrom: 2 };
      const leader = await cluster.leader();
      expect(await cluster.during(leader.append(behind, 9000))).toEqual({
        kind: 'appended',
        base: 1,
      });
      expect(await cluster.during(leader.append(behind, 9000))).toMatchObject({
        kind: 'duplicate',
        base: 1,
      });
      expect(await cluster.append(producer, 't:5')).toEqual({ kind: 'appended', base: 2 });
      await cluster.start(old);
      await cluster.converge();
      const expected = ['t:0', 't:3', 't:5'];
      expect(await texts(cluster)).toEqual([expected, expected, expected]);
      await cluster.stopAll();
    });
  }

  test('leader: what is acknowledged survives the power of all', async () => {
    const cluster = await ShardCluster.found(3);
    const producer = new TestProducer(1);
    await cluster.append(producer, 't:0');
    const { id, replica } = await cluster.leaderNode();
    cluster.network.cut((from, to) => from === id || to === id);
    const append = { ...producer.next(['t:1']), acknowledgement: 'leader' as const };
    const lost = replica?.append(append, 60_000);
    expect(await lost).toEqual({ kind: 'appended', base: 1 });
    for (const node of cluster.nodes) await cluster.crash(node);
    cluster.network.cut(() => false);
    // Its log is the longest one, so that nobody else is elected without it.
    const old = cluster.nodes.find((node) => node.id === id);
    const other = cluster.nodes.find((node) => node.id !== id);
    await cluster.start(old as never);
    await cluster.start(other as never);
    await cluster.converge();
    expect(await texts(cluster)).toEqual([
      ['t:0', 't:1'],
      ['t:0', 't:1'],
    ]);
    await cluster.stopAll();
  });

  test('an append that is refused, or repeated, is not acknowledged early', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    const leader = await cluster.leader();
    const first = { ...producer.next(['a:1']), acknowledgement: 'memory' as const };
    const ahead = { ...first, sequence: 3 };
    const appends = [first, first, ahead].map((each) => leader.append(each, 5000));
    expect(await cluster.during(Promise.all(appends))).toEqual([
      { kind: 'appended', base: 0 },
      { kind: 'duplicate', base: 0 },
      { kind: 'outOfOrder', expected: 2 },
    ]);
    await cluster.stopAll();
  });
});

describe('a shard on three nodes', () => {
  test('repetitions after a change of the leader are written once', async () => {
    const cluster = await ShardCluster.found(3);
    const random = new SeededRandom(3);
    const producer = new TestProducer(1);
    const expected: string[] = [];
    for (let at = 0; at < 40; at += 1) {
      const text = `t:${at}`;
      const append = producer.next([text]);
      const leader = await cluster.leaderNode();
      const lost = leader.replica?.append(append, 2000).catch(() => undefined);
      if (random.below(3) === 0) {
        const { id } = leader;
        cluster.network.cut((from, to) => from === id || to === id);
        await cluster.pass(random.below(3));
        if (random.below(2) === 0) await cluster.crash(leader);
        else await cluster.stop(leader);
        cluster.network.cut(() => false);
      }
      await cluster.during(Promise.resolve(lost));
      const outcome = await cluster.during((await cluster.leader()).append(append, 20_000));
      expect(outcome.kind === 'appended' || outcome.kind === 'duplicate').toBe(true);
      expect(outcome).toMatchObject({ base: expected.length });
      expected.push(text);
      if (leader.replica === null) await cluster.start(leader);
    }
    await cluster.converge();
    expect(await texts(cluster)).toEqual([expected, expected, expected]);
    await cluster.stopAll();
  });

  test('trimmed records go in whole files on every replica, and a follower that lacks them gets the rest', async () => {
    const cluster = await ShardCluster.found(3);
    const producer = new TestProducer(1);
    const lagging = cluster.nodes.find(({ replica }) => replica?.status.raft.role !== 'leader');
    const body = 'x'.repeat(400);
    for (let at = 0; at < 10; at += 1) await cluster.append(producer, `t:${at}${body}`);
    await cluster.stop(lagging as never);
    for (let at = 10; at < 100; at += 1) await cluster.append(producer, `t:${at}${body}`);
    const leader = await cluster.leader();
    await cluster.during(leader.trimBefore(60 as Offset, 5000));
    await cluster.pass(5);
    expect(leader.oldest).toBe(60);
    expect(leader.status.raft.firstIndex).toBeGreaterThan(30);
    const bytes = leader.status.bytes;
    expect(bytes).toBeLessThan(40 * 500 + 2 * 4096);
    await cluster.start(lagging as never);
    await cluster.converge();
    expect(lagging?.replica?.oldest).toBe(60);
    const kept = Array.from({ length: 40 }, (_, at) => `t:${at + 60}${body}`);
    expect(await texts(cluster)).toEqual([kept, kept, kept]);
    await expect(
      leader.openReader(59 as Offset, { kind: 'everything' }).read(1, 1),
    ).rejects.toThrow('offset 59 is trimmed');
    for (const node of cluster.nodes) {
      await cluster.crash(node);
      await cluster.start(node);
    }
    await cluster.append(producer, 't:last');
    await cluster.converge();
    expect(await texts(cluster)).toEqual([1, 2, 3].map(() => [...kept, 't:last']));
    await cluster.stopAll();
  });

  test('a new replica takes everything that is kept', async () => {
    const cluster = await ShardCluster.found(1);
    const producer = new TestProducer(1);
    for (let at = 0; at < 60; at += 1) await cluster.append(producer, `t:${at}${'y'.repeat(300)}`);
    await cluster.during((await cluster.leader()).trimBefore(20 as Offset, 5000));
    await cluster.pass(5);
    const leader = await cluster.leader();
    const added = cluster.addNode(2 as NodeId);
    await cluster.start(added);
    const change = leader.changeMembership([{ kind: 'addLearner', node: 2 as NodeId }], 10_000);
    await cluster.during(change);
    await cluster.until(() => added.replica?.end === leader.end);
    expect((await readAll(added.replica, 20)).map(textOf)).toEqual(
      (await readAll(leader, 20)).map(textOf),
    );
    await cluster.stopAll();
  });
});
