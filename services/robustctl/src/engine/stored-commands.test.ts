import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem, systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { type CheckedBatch, checkBatch, type Offset, RecordBatchBuilder } from '@robustmq/journal';
import { openKeyedReplica } from '@robustmq/journal-keyed';
import { newReplicaStores, openShardReplica, SpaceWatch } from '@robustmq/journal-replica';
import type { NodeId } from '@robustmq/raft';
import { MemoryPeerNetwork, openRaftHost } from '@robustmq/raft-driver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { robustctl } from './engine.fixture.ts';

const environment = {
  fileSystem: nodeFileSystem,
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
};
const encoder = new TextEncoder();
const FOUND = { kind: 'found', voters: [1 as NodeId] } as const;
const DEADLINE_MS = 10_000;

let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'robustctl-engine-'));
  await writeShards();
});

afterEach(() => rmSync(directory, { recursive: true }));

/** What a server leaves: group 7 with five messages of which one is trimmed, group 8 with keys. */
async function writeShards(): Promise<void> {
  const host = await openHost();
  const space = await SpaceWatch.open({ environment, directory, diskFreeBytesMin: 0 });
  const caches = { batchCacheBytesMax: 1e6, indexCacheBytesMax: 1e6 };
  const shared = { host, environment, bootstrap: FOUND };
  const messages = await openShardReplica({
    ...shared,
    stores: newReplicaStores(nodeFileSystem, caches),
    space,
    directory: `${directory}/shards/7`,
    name: 'mqtt/mqtt-0',
    groupId: 7,
    limits: { segmentBytesMax: 4096 },
  });
  await leads(() => messages.status.raft.role === 'leader');
  for (let sequence = 1; sequence <= 5; sequence += 1) {
    const builder = new RecordBatchBuilder();
    const topic = encoder.encode(`topic/${sequence}`);
    builder.add(1, topic, 0, topic.length, encoder.encode(`hello ${sequence}`));
    const producer = { id: 3, incarnation: 1 };
    const batch = checkBatch(builder.seal(0 as Offset, 0).bytes) as CheckedBatch;
    await messages.append({ producer, sequence, batch }, DEADLINE_MS);
  }
  await messages.trimBefore(1 as Offset, DEADLINE_MS);
  const keyed = await openKeyedReplica({
    ...shared,
    directory: `${directory}/shards/8`,
    name: 'mqtt/sessions-0',
    groupId: 8,
  });
  await leads(() => keyed.status.raft.role === 'leader');
  const value = encoder.encode('session');
  await keyed.write([{ key: 'client', fence: 2, value }], DEADLINE_MS);
  await keyed.close();
  await messages.close();
  space.close();
  await host.close();
}

function openHost() {
  const transport = new MemoryPeerNetwork(systemTimers).open(1 as NodeId);
  const fail = (fault: { readonly code?: string }): void => {
    throw new Error(fault.code);
  };
  return openRaftHost({
    ...{ directory: `${directory}/raft`, nodeId: 1 as NodeId, clusterId: 'test', tickMs: 5 },
    ...{ environment, transport, onFatal: fail, onRefused: () => {} },
  });
}

async function leads(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Flips one bit in the middle of the first log file of a group. */
function damage(group: string): string {
  const groups = join(directory, 'raft/groups', group);
  const [name = ''] = readdirSync(groups).filter((each) => each.endsWith('.raftlog'));
  const path = join(groups, name);
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 4;
  writeFileSync(path, bytes);
  return path;
}

describe('the directory of a journal server that does not run', () => {
  test('is dumped record by record, with the offsets that readers see', async () => {
    const { output, failure } = await robustctl('engine', 'dump', '7', '--data', directory);
    expect(failure).toBeNull();
    const lines = output
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(lines.map(([offset, , , topic, size, body]) => [offset, topic, size, body])).toEqual(
      [0, 1, 2, 3, 4].map((offset) => [
        `${offset}`,
        `topic/${offset + 1}`,
        '7 bytes',
        `hello ${offset + 1}`,
      ]),
    );
    const some = ['--from', '2', '--limit', '1', '--output', 'json'];
    const one = await robustctl('engine', 'dump', 'shard-7', '--data', directory, ...some);
    expect(JSON.parse(one.output)).toMatchObject({ offset: 2, topic: 'topic/3', kind: 1 });
  });

  test('is dumped write by write where it is keyed', async () => {
    const { output } = await robustctl('engine', 'dump', '8', '--data', directory);
    expect(output).toMatch(/^entry \d+ {2}write "client" {2}fence 2 {2}7 bytes {2}session\n$/);
  });

  test('is whole until a bit of it changes, and then told to be not', async () => {
    const whole = await robustctl('engine', 'verify', '--data', directory);
    expect(whole.failure).toBeNull();
    expect(whole.output).toMatch(/^group 7 \(messages\): 1 segments.*\ngroup 8 \(keyed\)/);
    const path = damage('shard-7');
    const damaged = await robustctl('engine', 'verify', '--data', directory);
    expect(damaged.failure).toMatchObject({ exitCode: 1 });
    expect(damaged.output).toContain(`damaged: ${path} at byte`);
    const other = await robustctl('engine', 'verify', '8', '--data', directory);
    expect(other.failure).toBeNull();
    const listed = await robustctl('engine', 'segment', 'list', '7', '--data', directory);
    expect(listed.output).toContain('damaged at byte');
    expect((await robustctl('engine', 'dump', '7', '--data', directory)).failure).not.toBeNull();
  });

  test('is not what a check changes', async () => {
    const before = readFileSync(damage('keyed-8'));
    await robustctl('engine', 'verify', '--data', directory);
    const [name = ''] = readdirSync(join(directory, 'raft/groups/keyed-8'));
    expect(readFileSync(join(directory, 'raft/groups/keyed-8', name)).length).toBe(before.length);
  });

  test('is left alone while a server runs on it', async () => {
    const host = await openHost();
    const { failure } = await robustctl('engine', 'verify', '--data', directory);
    expect(failure).toMatchObject({ exitCode: 69 });
    expect(failure?.message).toContain('stop the server first');
    await host.close();
  });

  test('must be one', async () => {
    const { failure } = await robustctl('engine', 'verify', '--data', join(directory, 'shards'));
    expect(failure).toMatchObject({ exitCode: 74 });
    const missing = await robustctl('engine', 'verify', '9', '--data', directory);
    expect(missing.failure).toMatchObject({ exitCode: 74 });
  });
});
