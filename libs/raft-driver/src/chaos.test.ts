/**
 * Random histories of crashes, partitions and membership of three nodes: whatever was acknowledged
 * is on every node in the end, once, in the same order.
 */
import { SeededRandom } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import { expect, test } from 'vitest';
import type { RaftGroup } from './raft-group.ts';
import { settle } from './testing/manual-timers.ts';
import { TestCluster, type TestNode } from './testing/test-cluster.ts';

const HISTORIES = 12;
const STEPS = 60;

interface Ledger {
  readonly acknowledged: string[];
  proposed: number;
}

function proposeSome(cluster: TestCluster, ledger: Ledger, random: SeededRandom): void {
  for (const { group } of cluster.nodes) {
    if (group?.status.role !== 'leader') continue;
    for (let count = 1 + random.below(5); count > 0; count -= 1) propose(group, ledger, random);
  }
}

function propose(group: RaftGroup<number>, ledger: Ledger, random: SeededRandom): void {
  ledger.proposed += 1;
  const text = `item ${ledger.proposed} ${'x'.repeat(random.below(200))}`;
  group.propose(new TextEncoder().encode(text), 5000).then(
    () => ledger.acknowledged.push(text),
    () => undefined,
  );
}

async function disturb(cluster: TestCluster, random: SeededRandom): Promise<void> {
  const node = cluster.nodes[random.below(cluster.nodes.length)] as TestNode;
  const victim = (1 + random.below(4)) as NodeId;
  switch (random.below(8)) {
    case 0:
    case 1:
      if (node.host === null) return cluster.start(node);
      // In the middle of writes and answers, not after them.
      cluster.timers.advance(100);
      await settle(random.below(12));
      return cluster.crash(node);
    case 2:
      return cluster.network.cut((from, to) => from === victim || to === victim);
    case 3:
      return cluster.network.cut((from) => from === victim);
    case 4:
      if (node.host === null) return cluster.start(node);
      return void (await node.group?.takeSnapshot().catch(() => undefined));
    default:
      return cluster.network.cut(() => false);
  }
}

test(`acknowledged entries survive ${HISTORIES} random histories`, async () => {
  let acknowledged = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const random = new SeededRandom(seed);
    const cluster = await TestCluster.found(3, {
      host: { segmentBytesMax: 3000 },
      group: {
        compaction: { logEntriesMax: 30, logBytesMax: 1_000_000, slackEntries: 10 },
        raftOptions: { snapshotChunkBytesMax: 2000, windowBytesMax: 2000, appendBytesMax: 1000 },
      },
    });
    const ledger: Ledger = { acknowledged: [], proposed: 0 };
    for (let step = 0; step < STEPS; step += 1) {
      proposeSome(cluster, ledger, random);
      if (random.below(4) === 0) await disturb(cluster, random);
      await cluster.pass(1 + random.below(4));
    }
    cluster.network.cut(() => false);
    for (const node of cluster.nodes) if (node.host === null) await cluster.start(node);
    await cluster.propose('the end');
    await cluster.until(() => cluster.nodes.every((n) => n.machine?.items.at(-1) === 'the end'));
    const [first, second, third] = cluster.nodes.map((node) => node.machine?.items ?? []);
    expect(second, `seed ${seed}`).toEqual(first);
    expect(third, `seed ${seed}`).toEqual(first);
    expect(new Set(first).size, `seed ${seed}`).toBe(first?.length);
    expect(first, `seed ${seed}`).toEqual(expect.arrayContaining(ledger.acknowledged));
    expect(cluster.nodes.flatMap(({ fatal }) => fatal)).toEqual([]);
    acknowledged += ledger.acknowledged.length;
    await cluster.stopAll();
  }
  expect(acknowledged).toBeGreaterThan(200);
});
