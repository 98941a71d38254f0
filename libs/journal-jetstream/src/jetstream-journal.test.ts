import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Journal, Offset, RecordSelector } from '@robustmq/journal';
import { appendSamples, describeJournal, readToEnd, textOf } from '@robustmq/journal-conformance';
import { type NatsCluster, openNatsCluster, whyNoNatsCluster } from '@robustmq/store-servers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openJetStreamJournal } from './jetstream-journal.ts';

const missing = whyNoNatsCluster();
if (missing !== null) console.warn(`SKIPPED: ${missing}`);

const START = 0 as Offset;
const EVERYTHING: RecordSelector = { kind: 'everything' };

describe.skipIf(missing !== null)('three NATS servers', () => {
  let cluster: NatsCluster;
  let prefixes = 0;
  let segmentBytes = 0;

  beforeAll(async () => {
    cluster = await openNatsCluster();
  });
  afterAll(() => cluster.close());

  function open(options: Partial<Parameters<typeof openJetStreamJournal>[0]>): Promise<Journal> {
    const { servers, user, password } = cluster;
    const prefix = `test${prefixes}`;
    return openJetStreamJournal({ servers, user, password, prefix, replicas: 3, ...options });
  }

  async function openFresh(options: Parameters<typeof open>[0]): Promise<Journal> {
    prefixes += 1;
    return open(options);
  }

  describeJournal('JetStream', {
    open: (segmentBytesMax) => {
      segmentBytes = segmentBytesMax;
      return openFresh({ segmentBytesMax });
    },
    reopen: () => open({ segmentBytesMax: segmentBytes }),
    openSuccessor: () => open({ segmentBytesMax: segmentBytes }),
    openBounded: (journalBytesMax) =>
      openFresh({ journalBytesMax, segmentBytesMax: journalBytesMax / 10 }),
  });

  test('tells what the servers promise', async () => {
    const single = await openFresh({ replicas: 1 });
    const promised = await openFresh({ serverFlush: 'always' });
    expect(single.capabilities).toMatchObject({ durable: false, replicated: false, shared: true });
    // Debian's server is older than the setting that flushes each write.
    expect(promised.capabilities).toMatchObject({ durable: false, replicated: true });
    await single.close();
    await promised.close();
  });

  test('a stream that would keep less than is asked for is refused', async () => {
    const single = await openFresh({ replicas: 1 });
    await single.openShard('s');
    await single.close();
    const wider = await open({ replicas: 3 });
    await expect(wider.openShard('s')).rejects.toThrow('has 1 replicas, 3 are asked for');
    await wider.close();
    const { servers, user, password } = cluster;
    const connection = await connect({ servers: [...servers], user, pass: password });
    const manager = await jetstreamManager(connection);
    const stream = `test${prefixes}-s`;
    await manager.streams.update(stream, { max_age: 3_600_000_000_000 });
    await connection.close();
    const bounded = await open({ replicas: 1 });
    await expect(bounded.openShard('s')).rejects.toThrow('forgets messages by itself');
    await bounded.close();
  });

  test('a batch larger than a message is stored in parts, and comes back whole', async () => {
    const journal = await openFresh({ cacheBytesMax: 0 });
    const shard = await journal.openShard('large');
    const topics = Array.from({ length: 60 }, (_, i) => `${i}/${'x'.repeat(40_000)}`);
    await appendSamples(shard, topics, 'sync');
    await appendSamples(shard, ['small'], 'sync');
    const records = await readToEnd(shard.openReader(START, EVERYTHING), 100);
    expect(records.map(({ topic }) => topic)).toEqual([...topics, 'small']);
    await journal.close();
    const again = await open({ cacheBytesMax: 0 });
    expect((await again.openShard('large')).next).toBe(61);
    await again.close();
  });

  /** The number of the server that leads a stream. */
  async function leaderOf(stream: string): Promise<number> {
    const { servers, user, password } = cluster;
    const connection = await connect({ servers: [...servers], user, pass: password });
    const manager = await jetstreamManager(connection);
    const { cluster: group } = await manager.streams.info(stream);
    await connection.close();
    return Number(group?.leader?.slice(1));
  }

  test('appends go on over the death of the leader, and are there once', async () => {
    const journal = await openFresh({ requestTimeoutMs: 1000 });
    const shard = await journal.openShard('survivor');
    const appends: Promise<Offset>[] = [];
    for (let i = 0; i < 20; i += 1) appends.push(appendSamples(shard, ['before'], 'sync'));
    await Promise.all(appends);
    const leader = await leaderOf(`test${prefixes}-survivor`);
    const killed = cluster.kill(leader);
    for (let i = 0; i < 20; i += 1) await appendSamples(shard, ['after'], 'sync');
    await killed;
    const offsets = (await readToEnd(shard.openReader(START, EVERYTHING), 7)).map(textOf);
    expect(offsets).toHaveLength(40);
    expect(offsets[39]).toBe('39 after body 39');
    await cluster.restart(leader);
    await journal.close();
  });
});
