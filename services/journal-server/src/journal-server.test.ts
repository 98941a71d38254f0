import { type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestServers } from './testing/test-servers.ts';

const START = 0 as Offset;
const NODES = [1, 2, 3];
const CALL_MS = 20_000;

let servers: TestServers;

afterEach(async (context) => {
  await servers.close();
  if (context.task.result?.state === 'fail') process.stderr.write(servers.lines.join(''));
});

function append(shard: SharedShard, body: string): Promise<Offset> {
  const builder = new RecordBatchBuilder();
  builder.add(1, new TextEncoder().encode('t'), 0, 1, new TextEncoder().encode(body));
  const producer = { id: 7, incarnation: 1 };
  const options = { producer, acknowledgement: 'all-synced', deadlineMs: CALL_MS } as const;
  return shard.append(builder.seal(START, 1), options);
}

async function bodies(shard: SharedShard): Promise<string[]> {
  const end = await shard.committed(CALL_MS);
  const reader = shard.openReader(START, { kind: 'everything' });
  const found: string[] = [];
  while (reader.position < end) {
    for (const { body } of await reader.read(1000, 100_000)) {
      found.push(new TextDecoder().decode(body));
    }
  }
  return found;
}

describe('three journal servers', () => {
  beforeEach(async () => {
    servers = await TestServers.start(NODES);
  });

  test('keep what was appended when the leader goes, in order and once', async () => {
    await servers.createShard('shard', 'messages');
    const shard = await servers.connect().openShard('shard');
    const appends: Promise<Offset>[] = [];
    for (let i = 0; i < 50; i += 1) appends.push(append(shard, String(i)));
    await appends[20];
    const leader = await servers.leaderOf('shard');
    const stopped = servers.stop(leader);
    for (let i = 50; i < 100; i += 1) appends.push(append(shard, String(i)));
    await stopped;
    for (let i = 100; i < 120; i += 1) appends.push(append(shard, String(i)));
    expect(await Promise.all(appends)).toEqual(appends.map((_, i) => i));
    expect(await bodies(shard)).toEqual(appends.map((_, i) => String(i)));
    await servers.start(leader);
    expect(await append(shard, 'again')).toBe(120);
  });

  test('keep keys', async () => {
    await servers.createShard('table', 'keyed');
    const table = await servers.connect().openTable('table');
    const tail = table.openTail(0);
    const value = new TextEncoder().encode('value');
    expect(await table.write([{ key: 'a', fence: 1, value }], CALL_MS)).toEqual([true]);
    expect((await table.read('a', CALL_MS))?.value).toEqual(value);
    const claimed = await table.claim('a', 5, CALL_MS);
    expect([claimed.taken, claimed.record?.fence]).toEqual([true, 5]);
    expect(await table.write([{ key: 'a', fence: 4, value: null }], CALL_MS)).toEqual([false]);
    const changes = await tail.next(10);
    expect(changes.map(({ key }) => key)).toContain('a');
    expect((await table.list(null, 10, CALL_MS)).map(({ key }) => key)).toEqual(['a']);
  });

  test('delete a shard with its files, and have another of the same name', async () => {
    await servers.createShard('shard', 'messages');
    const shard = await servers.connect().openShard('shard');
    await append(shard, 'old');
    await servers.registries.shards.delete(
      { namespace: 'test', shard: 'shard' },
      { deadlineMs: CALL_MS, signal: null },
    );
    await servers.createShard('shard', 'messages');
    const again = await servers.connect().openShard('shard');
    expect(await again.committed(CALL_MS)).toBe(0);
  });
});

test('journal servers let nobody in who does not show the cluster token', async () => {
  servers = await TestServers.start(NODES, { token: 'secret' });
  await servers.createShard('shard', 'messages');
  const shard = await servers.connect().openShard('shard');
  expect(await append(shard, 'let in')).toBe(0);
  const stranger = servers.connect({ callDeadlineMs: 500 }, 'guessed');
  const refused = await stranger.openShard('shard').catch((error: unknown) => error);
  expect(refused).toMatchObject({ fault: { code: 'JOURNAL_UNAVAILABLE' } });
  expect(String(refused)).toContain('token');
  expect(servers.lines.join('')).not.toContain('secret');
});
