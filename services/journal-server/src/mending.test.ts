import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { afterEach, expect, test } from 'vitest';
import { TestServers } from './testing/test-servers.ts';

const ROBUSTCTL = fileURLToPath(new URL('../../robustctl/src/main.ts', import.meta.url));
const START = 0 as Offset;
const NODES = [1, 2, 3];
const CALL = { deadlineMs: 20_000, signal: null };
const NAME = { namespace: 'test', shard: 'shard' };
/** With segments of 1 MiB there are several complete ones. */
const APPENDS = 50;
const BODY_BYTES = 64 * 1024;

let servers: TestServers;

afterEach(async (context) => {
  await servers.close();
  if (context.task.result?.state === 'fail') process.stderr.write(servers.lines.join(''));
});

/** Appends bodies that differ. @returns them */
async function fill(shard: SharedShard): Promise<string[]> {
  const bodies = Array.from({ length: APPENDS }, (_, at) => `${at} `.padEnd(BODY_BYTES, `${at}`));
  await Promise.all(
    bodies.map((body) => {
      const builder = new RecordBatchBuilder();
      builder.add(1, new TextEncoder().encode('t'), 0, 1, new TextEncoder().encode(body));
      const producer = { id: 7, incarnation: 1 };
      const options = { producer, acknowledgement: 'all-synced', deadlineMs: 20_000 } as const;
      return shard.append(builder.seal(START, 1), options);
    }),
  );
  return bodies;
}

/** As a broker reads: a fault that tells of lost records would pass over them. */
async function tailed(shard: SharedShard): Promise<string[]> {
  const tail = shard.openTail(START, { kind: 'everything' });
  const found: string[] = [];
  while (found.length < APPENDS) {
    for (const { body } of await tail.next(1000, 1_000_000)) {
      found.push(new TextDecoder().decode(body));
    }
  }
  tail.close();
  return found;
}

/** The oldest file of the shard's log on a server: complete, and full of records. */
async function oldestFile(node: number): Promise<string> {
  const record = await servers.registries.shards.read(NAME, CALL);
  const group = `shard-${record?.value.groupId ?? 0}`;
  const folder = join(servers.directory, String(node), 'raft', 'groups', group);
  const files = readdirSync(folder).filter((name) => name.endsWith('.raftlog'));
  expect(files.length).toBeGreaterThan(2);
  return join(folder, files.sort()[0] as string);
}

/** Flips one bit in the middle of a file. */
function flipBit(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 4;
  writeFileSync(file, bytes);
}

/** The exit code of `robustctl engine verify --data` on a stopped server. */
async function verify(node: number): Promise<number> {
  const folder = join(servers.directory, String(node));
  const words = ['--conditions=source', ROBUSTCTL, 'engine', 'verify', '--data', folder];
  const child = spawn(process.execPath, words, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

async function metric(node: number, name: string): Promise<number> {
  const page = await fetch(`http://${servers.server(node).httpAddress ?? ''}/metrics`);
  const line = (await page.text()).split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

test('a flipped bit is mended from another server before a reader is answered', async () => {
  servers = await TestServers.start(NODES, { token: 'secret' });
  await servers.createShard('shard', 'messages');
  const bodies = await fill(await servers.connect().openShard('shard'));
  // Once it is back it leads again.
  const node = (await servers.registries.shards.read(NAME, CALL))?.value.preferredLeader ?? 0;
  await servers.stateOf('shard', ({ leader, voters }) => leader === node && voters.length === 3);
  await servers.stop(node);
  await servers.stateOf('shard', ({ leader }) => leader !== node);
  const file = await oldestFile(node);
  flipBit(file);
  expect(await verify(node)).toBe(1);
  await servers.start(node);
  await servers.stateOf('shard', ({ leader }) => leader === node);
  expect(await tailed(await servers.connect().openShard('shard'))).toEqual(bodies);
  expect(await metric(node, 'robust_journal_server_damage_mended_total')).toBe(1);
  const told = servers.lines.filter((line) => line.includes('shard.damage_mended'));
  expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([{ file }]);
  await servers.stop(node);
  expect(await verify(node)).toBe(0);
}, 60_000);

test('a flipped bit that nobody reads is found and mended in the background', async () => {
  servers = await TestServers.start(NODES, { scrubBytesPerSecond: 64 * 1024 * 1024 });
  await servers.createShard('shard', 'messages');
  await fill(await servers.connect().openShard('shard'));
  const [node = 0] = NODES.filter((each) => each !== 1);
  await servers.stop(node);
  const file = await oldestFile(node);
  flipBit(file);
  await servers.start(node);
  const isTold = (): boolean => servers.lines.some((line) => line.includes('shard.damage_mended'));
  while (!isTold()) await after(50);
  await servers.stop(node);
  expect(await verify(node)).toBe(0);
}, 60_000);
