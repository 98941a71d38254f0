/**
 * Random histories of three replicas: producers that repeat what was not answered, losses of power,
 * partitions, trims that make followers take a snapshot, flipped bits. In the end everybody lives.
 */
import { SeededRandom } from '@robustmq/environment';
import type { Offset } from '@robustmq/journal';
import { expect, test } from 'vitest';
import type { ShardReplica } from './shard-replica.ts';
import {
  readAll,
  ShardCluster,
  type TestNode,
  TestProducer,
  textOf,
} from './testing/shard-cluster.ts';

const HISTORIES = 8;
const STEPS = 50;

interface History {
  readonly cluster: ShardCluster;
  readonly random: SeededRandom;
  readonly producers: readonly TestProducer[];
  /** By offset. */
  readonly acknowledged: Map<number, string>;
  number: number;
}

async function step(history: History): Promise<void> {
  const { cluster, random } = history;
  const running = cluster.nodes.filter(({ replica }) => replica !== null);
  const stopped = cluster.nodes.filter(({ replica }) => replica === null);
  const choice = random.below(12);
  if (choice === 0 && stopped.length === 0) await lose(history, running);
  else if (choice <= 2 && stopped[0] !== undefined) await cluster.start(stopped[0]);
  else if (choice === 3) {
    const id = 1 + random.below(3);
    cluster.network.cut((from, to) => from === id || to === id);
  } else if (choice === 4) cluster.network.cut(() => false);
  else if (choice === 5) await trim(history);
  else if (choice === 6) await cluster.pass(random.below(30));
  else await append(history);
}

async function lose({ cluster, random }: History, running: readonly TestNode[]): Promise<void> {
  const node = running[random.below(running.length)] as TestNode;
  if (random.below(2) === 0) await cluster.crash(node);
  else await cluster.stop(node);
}

async function trim({ cluster, random }: History): Promise<void> {
  const leader = leaderOf(cluster);
  if (leader === null) return;
  const offset = (leader.end - random.below(30)) as Offset;
  const trimming = leader.trimBefore(offset, 1000).catch(() => undefined);
  await cluster.pass(random.below(5));
  await cluster.during(trimming);
}

/** Several at once, on whoever takes itself for the leader; until all of them are answered. */
async function append(history: History): Promise<void> {
  const { cluster, random, producers, acknowledged } = history;
  const producer = producers[random.below(producers.length)] as TestProducer;
  const texts = Array.from({ length: 1 + random.below(4) }, () => {
    history.number += 1;
    return `t${random.below(3)}:${history.number}${'x'.repeat(random.below(400))}`;
  });
  const appends = texts.map((text) => producer.next([text]));
  const first = leaderOf(cluster);
  if (first !== null && random.below(2) === 0) {
    const tries = appends.map((each) => first.append(each, 500).catch(() => undefined));
    await cluster.pass(random.below(3));
    await cluster.during(Promise.all(tries));
  }
  for (const [at, each] of appends.entries()) {
    const offset = await untilAnswered(history, each);
    acknowledged.set(offset, texts[at] as string);
  }
}

async function untilAnswered(
  { cluster }: History,
  append: Parameters<ShardReplica['append']>[0],
): Promise<number> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    if (attempt === 10) cluster.network.cut(() => false);
    const down = cluster.nodes.find(({ replica }) => replica === null);
    if (attempt === 15 && down !== undefined) await cluster.start(down);
    const leader = leaderOf(cluster);
    const trying = leader?.append(append, 1000).catch(() => undefined);
    const outcome = await cluster.during(Promise.resolve(trying));
    if (outcome?.kind === 'appended') return outcome.base;
    if (outcome?.kind === 'duplicate' && outcome.base !== null) return outcome.base;
    expect(outcome, 'nothing else can become of it').toBeUndefined();
    await cluster.pass(5);
  }
  throw new Error('no leader answered');
}

function leaderOf(cluster: ShardCluster): ShardReplica | null {
  const leaders = cluster.nodes.flatMap(({ replica }) =>
    replica?.status.raft.role === 'leader' ? [replica] : [],
  );
  return leaders.toSorted((a, b) => b.status.raft.term - a.status.raft.term)[0] ?? null;
}

test('what was acknowledged is everywhere, once, at its offset, in every history', async () => {
  let snapshots = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const random = new SeededRandom(seed * 31);
    const cluster = await ShardCluster.found(3);
    const producers = [1, 2, 3].map((id) => new TestProducer(id));
    const history: History = { cluster, random, producers, acknowledged: new Map(), number: 0 };
    for (let at = 0; at < STEPS; at += 1) await step(history);
    cluster.network.cut(() => false);
    for (const node of cluster.nodes) if (node.replica === null) await cluster.start(node);
    await append(history);
    await cluster.converge();
    const label = `seed ${seed}`;
    const oldest = Math.max(...cluster.nodes.map(({ replica }) => replica?.oldest ?? 0));
    for (const { replica, fatal } of cluster.nodes) {
      expect(fatal, label).toEqual([]);
      const records = await readAll(replica, oldest);
      expect(
        records.map(({ offset }) => offset as number),
        label,
      ).toEqual(Array.from({ length: (replica?.end ?? 0) - oldest }, (_, at) => oldest + at));
      for (const record of records) {
        const known = history.acknowledged.get(record.offset);
        expect(textOf(record), `${label}, offset ${record.offset}`).toBe(known);
      }
      expect(await replica?.verify(), label).toEqual([]);
      if ((replica?.status.raft.firstIndex ?? 1) > 1) snapshots += 1;
    }
    expect(history.acknowledged.size, label).toBe(history.number);
    await cluster.stopAll();
  }
  expect(snapshots, 'the log was trimmed in some').toBeGreaterThan(0);
});
