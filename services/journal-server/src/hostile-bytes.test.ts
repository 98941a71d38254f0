import { once } from 'node:events';
import { connect } from 'node:net';
import { SeededRandom } from '@robustmq/environment';
import { BATCH_HEADER_BYTES, type Offset, RecordBatchBuilder } from '@robustmq/journal';
import {
  calledJournalService,
  defaultChannelLimits,
  journalRequestsCodec,
  type JournalCall,
  type JournalReply,
  openChannel,
  repairService,
  type RpcChannel,
} from '@robustmq/rpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestServers } from './testing/test-servers.ts';

const SHARD = 'test/shard';
const CHECKSUM_AT = 4;
const CHECKSUMMED_FROM = 16;
const SEEDS = [1, 2, 3];
const STREAMS = 40;

let servers: TestServers;
let channel: RpcChannel;

beforeEach(async () => {
  servers = await TestServers.start([1]);
  await servers.createShard('shard', 'messages');
  await servers.createShard('table', 'keyed');
  await servers.connect().openShard('shard');
  await servers.connect().openTable('table');
  const limits = defaultChannelLimits;
  channel = openChannel({ address: `127.0.0.1:${portOf(1)}`, tls: null, token: null, limits });
});

afterEach(async () => {
  channel.close();
  await servers.close();
});

function portOf(node: number): number {
  return servers.server(node).listeners[0]?.port ?? 0;
}

function batchOf(body: string): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.add(1, new TextEncoder().encode('t'), 0, 1, new TextEncoder().encode(body));
  return builder.seal(0 as Offset, 1).bytes;
}

/** Gives changed bytes a checksum that matches: CRC-32C, bit by bit. */
function sealed(batch: Uint8Array): Uint8Array {
  let crc = 0xffffffff;
  for (const byte of batch.subarray(CHECKSUMMED_FROM)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  new DataView(batch.buffer, batch.byteOffset).setUint32(CHECKSUM_AT, ~crc >>> 0, true);
  return batch;
}

function appendOf(batch: Uint8Array): JournalCall {
  const producer = { id: 7, incarnation: 1 };
  const call = { kind: 'append', producer, sequence: 1, mayMissFrom: 0 } as const;
  return { ...call, acknowledgement: 'all-synced', batch };
}

function encoded(call: JournalCall, shard: string, id = 1): Uint8Array {
  return journalRequestsCodec.encode([{ id, shard, deadlineMs: 500, call }]);
}

/** Sends messages on one stream. @returns the replies, however the stream ends */
async function exchanged(...messages: readonly Uint8Array[]): Promise<readonly JournalReply[]> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = channel.clientOf(calledJournalService);
  const stream = client.exchange({ signal: null, metadata: {} });
  const replies: JournalReply[] = [];
  stream.onMessage((some) => void replies.push(...some));
  stream.onEnd(() => resolve());
  for (const message of messages) stream.write(message);
  stream.finish();
  await promise;
  return replies;
}

async function assertServes(): Promise<void> {
  const [reply] = await exchanged(encoded(appendOf(batchOf('good')), SHARD));
  expect(reply?.outcome.kind).toBe('appended');
  const state = await Promise.race([servers.server(1).failed, Promise.resolve('serves')]);
  expect(state).toBe('serves');
}

test('a batch whose checksum matches and whose records do not is refused', async () => {
  const malformed = batchOf('body');
  const damaged = batchOf('body');
  malformed[BATCH_HEADER_BYTES] = 200;
  damaged[BATCH_HEADER_BYTES] = 200;
  for (const batch of [sealed(malformed), damaged, damaged.subarray(0, 20), new Uint8Array(0)]) {
    const [reply] = await exchanged(encoded(appendOf(batch), SHARD));
    expect(reply?.outcome).toMatchObject({ fault: { code: 'JOURNAL_REQUEST_INVALID' } });
  }
  expect(servers.lines.join('')).not.toContain('task.failed');
  await assertServes();
});

test('bytes that are no gRPC end their connection and nothing else', async () => {
  const random = new SeededRandom(9);
  for (const preface of ['', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
    const bytes = new Uint8Array(5000);
    random.fill(bytes);
    const socket = connect(portOf(1), '127.0.0.1');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.write(preface);
    socket.end(bytes);
    socket.resume();
    await closed;
  }
  await assertServes();
});

const SHARDS = [SHARD, SHARD, 'test/table', 'test/table', 'test/none'];
const EXTREMES = [0, 1, 2, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];

/** A request of any kind, with numbers that nobody means. */
function anyCall(random: SeededRandom): JournalCall {
  const number = (): number => EXTREMES[random.below(EXTREMES.length)] as number;
  const offset = (): Offset => number() as Offset;
  const creditBytes = number();
  const everything = { kind: 'everything' } as const;
  const filters = { kind: 'some', topics: [''], filters: ['#', '\0', '+/#/a'] } as const;
  const selector = random.below(2) === 0 ? everything : filters;
  const producer = { id: number(), incarnation: number() };
  const batch = new Uint8Array(random.below(200));
  random.fill(batch);
  const value = batch.subarray(0, 5);
  const recordsMax = number();
  const bytesMax = number();
  const calls: readonly JournalCall[] = [
    {
      ...{ kind: 'append', producer, sequence: number(), acknowledgement: 'leader', batch },
      mayMissFrom: number(),
    },
    { ...appendOf(batchOf('any')), producer, sequence: number() } as JournalCall,
    { kind: 'committed', life: number() },
    { kind: 'revision' },
    { kind: 'read', from: offset(), selector, recordsMax, bytesMax, committedSeen: offset() },
    { kind: 'readAt', offset: offset(), committedSeen: offset() },
    { kind: 'offsetAt', atMs: number() },
    { kind: 'trim', before: offset() },
    { kind: 'fence', producer: { id: 1 + random.below(5), incarnation: number() } },
    { kind: 'openTail', from: offset(), selector, creditBytes },
    { kind: 'credit', tail: number(), bytes: number() },
    { kind: 'closeTail', tail: number() },
    { kind: 'writeKeys', writes: [{ key: '', fence: number(), value }] },
    { kind: 'claimKey', key: 'k'.repeat(random.below(70_000)), fence: number() },
    { kind: 'readKey', key: '\0' },
    { kind: 'listKeys', after: null, limit: number() },
    { kind: 'openKeyedTail', after: number(), creditBytes },
  ];
  return calls[random.below(calls.length)] as JournalCall;
}

test.each(SEEDS)('no request ends the process: seed %i', async (seed) => {
  const random = new SeededRandom(seed);
  let answered = 0;
  for (let stream = 0; stream < STREAMS; stream += 1) {
    const messages = Array.from({ length: 8 }, (_, id) => {
      const shard = SHARDS[random.below(SHARDS.length)] as string;
      const message = Uint8Array.from(encoded(anyCall(random), shard, id));
      const isDamaged = stream % 2 === 1 && random.below(4) === 0;
      if (isDamaged) message[random.below(message.length)] = random.below(256);
      return message;
    });
    answered += (await exchanged(...messages)).length;
  }
  expect(answered).toBeGreaterThan(STREAMS);
  await assertServes();
});

test('another server can ask for nothing that ends this one', async () => {
  const { readEntries } = channel.clientOf(repairService);
  const call = { deadlineMs: 5000, signal: null };
  const record = await servers.registries.shards.read({ namespace: 'test', shard: 'shard' }, call);
  const groupId = record?.value.groupId ?? 0;
  for (const [clusterName, group, from, through] of [
    ['other', groupId, 1, 1],
    ['test', groupId, 0, 0],
    ['test', groupId, 5, 1],
    ['test', 99, 1, 1],
  ] as const) {
    const request = { clusterName, groupId: group, from, through };
    await expect(readEntries(request, call)).rejects.toThrow();
  }
  const absent = { clusterName: 'test', groupId, from: 1, through: Number.MAX_SAFE_INTEGER };
  expect((await readEntries(absent, call)).entries).toBe(null);
  expect((await readEntries({ ...absent, through: 1 }, call)).entries).not.toBe(null);
  await assertServes();
});
