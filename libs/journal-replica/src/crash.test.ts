import { FaultyFileSystem, type MemoryFileSystem } from '@robustmq/environment';
import type { Offset } from '@robustmq/journal';
import type { NodeId } from '@robustmq/raft';
import { expect, test } from 'vitest';
import {
  readAll,
  ShardCluster,
  type TestNode,
  TestProducer,
  textOf,
} from './testing/shard-cluster.ts';

/** Three files of the log. */
const APPENDS = 20;
const BODY = 'x'.repeat(400);
const CHANGES = new Set(['write', 'syncData', 'rename', 'unlink', 'syncDirectory', 'truncate']);

/** Appends, rolls over files and trims; what was acknowledged goes to `acknowledged`. */
async function work(
  cluster: ShardCluster,
  node: TestNode,
  acknowledged: Map<number, string>,
): Promise<void> {
  const producer = new TestProducer(1);
  for (let at = 0; at < APPENDS; at += 1) {
    const text = `t${at % 3}:${at}${BODY}`;
    const outcome = await cluster.append(producer, text);
    if (outcome.kind === 'appended') acknowledged.set(outcome.base, text);
    if (at === 16) await cluster.during((node.replica as never as Trimmer).trimBefore(11, 5000));
    if (at % 8 === 0) await cluster.pass(1);
  }
}

interface Trimmer {
  trimBefore(offset: number, deadlineMs: number): Promise<void>;
}

/** Whether the disk was cut off before the work was done. */
async function crashAt(operation: number): Promise<boolean> {
  const cluster = new ShardCluster();
  const node = cluster.addNode(1 as NodeId);
  let left: MemoryFileSystem | null = null;
  let count = -1;
  node.wrap = (disk) =>
    new FaultyFileSystem(disk, ({ kind }) => {
      if (!CHANGES.has(kind)) return null;
      count += 1;
      if (count < operation) return null;
      left ??= disk.crashClone(operation);
      return { kind: 'crash' };
    });
  const acknowledged = new Map<number, string>();
  const working = (async () => {
    await cluster.start(node, { kind: 'found', voters: [1 as NodeId] });
    await work(cluster, node, acknowledged);
  })();
  await working.catch(() => undefined);
  await cluster.stop(node).catch(() => undefined);
  const crashed = left !== null;
  node.wrap = (disk) => disk;
  if (left !== null) node.disk = left;
  await cluster.start(node, { kind: 'found', voters: [1 as NodeId] });
  await cluster.converge();
  const label = `cut at ${operation}`;
  const replica = node.replica as NonNullable<TestNode['replica']>;
  expect(replica.oldest, label).toBeLessThanOrEqual(11);
  for (const [offset, text] of acknowledged) {
    if (offset < replica.oldest) continue;
    const record = await replica.readAt(offset as Offset);
    expect(record && textOf(record), `${label}, offset ${offset}`).toBe(text);
  }
  const records = await readAll(replica);
  expect(records.map(({ offset }) => offset)).toEqual(
    Array.from({ length: replica.end - replica.oldest }, (_, at) => replica.oldest + at),
  );
  expect(new Set(records.map(textOf)).size, label).toBe(records.length);
  // Whoever repeats everything finds it written once.
  const producer = new TestProducer(1);
  for (let at = 0; at < APPENDS; at += 1) {
    const outcome = await cluster.append(producer, `t${at % 3}:${at}${BODY}`);
    expect(outcome, label).toMatchObject({ base: at });
  }
  await cluster.stopAll();
  return crashed;
}

test('a loss of power at any change of the disk loses nothing acknowledged and repeats nothing', async () => {
  let operation = 0;
  while (await crashAt(operation)) operation += 1;
  expect(operation).toBeGreaterThan(60);
});
