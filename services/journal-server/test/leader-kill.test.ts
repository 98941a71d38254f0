import { type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { JournalCluster } from './journal-cluster.fixture.ts';

const START = 0 as Offset;
const NODES = [1, 2, 3];
const PRODUCERS = [11, 12, 13, 14];
const APPENDS = 400;
/** Of one producer, without an answer. */
const IN_FLIGHT = 8;
const DEADLINE_MS = 60_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let cluster: JournalCluster;

beforeAll(async () => {
  cluster = await JournalCluster.start(NODES);
});

afterAll(() => cluster.close());

function append(shard: SharedShard, id: number, body: string): Promise<Offset> {
  const builder = new RecordBatchBuilder();
  builder.add(1, encoder.encode('t'), 0, 1, encoder.encode(body));
  const producer = { id, incarnation: 1 };
  const options = { producer, acknowledgement: 'all-synced', deadlineMs: DEADLINE_MS } as const;
  return shard.append(builder.seal(START, 1), options);
}

/** Appends everything, a few at a time; tells of each offset as it is acknowledged. */
async function produce(
  shard: SharedShard,
  id: number,
  acknowledged: (body: string, offset: Offset) => void,
): Promise<void> {
  const open = new Set<Promise<void>>();
  for (let i = 0; i < APPENDS; i += 1) {
    const body = `${id} ${i}`;
    const one: Promise<void> = append(shard, id, body).then((offset) => {
      open.delete(one);
      acknowledged(body, offset);
    });
    open.add(one);
    if (open.size >= IN_FLIGHT) await Promise.race(open);
  }
  await Promise.all(open);
}

async function readAll(shard: SharedShard): Promise<string[]> {
  const end = await shard.committed(DEADLINE_MS);
  const reader = shard.openReader(START, { kind: 'everything' });
  const bodies: string[] = [];
  while (reader.position < end) {
    for (const { body } of await reader.read(1000, 1_000_000)) bodies.push(decoder.decode(body));
  }
  return bodies;
}

test('what was acknowledged survives kill -9 of the leader, once and in order', async () => {
  await cluster.createShard('shard', 'messages');
  const shard = await cluster.connect().openShard('shard');
  const offsets = new Map<string, Offset>();
  const kills: Promise<void>[] = [];
  const killed: number[] = [];
  let longestPauseMs = 0;
  let lastMs = performance.now();
  const killLeader = async (): Promise<void> => {
    const leader = await cluster.leaderOf('shard');
    killed.push(leader);
    await cluster.kill(leader);
  };
  const produced = PRODUCERS.map((id) =>
    produce(shard, id, (body, offset) => {
      offsets.set(body, offset);
      const nowMs = performance.now();
      longestPauseMs = Math.max(longestPauseMs, nowMs - lastMs);
      lastMs = nowMs;
      if (offsets.size === (PRODUCERS.length * APPENDS) / 4) kills.push(killLeader());
    }),
  );
  await Promise.all(produced);
  await Promise.all(kills);
  const bodies = await readAll(shard);
  expect(killed).toHaveLength(1);
  expect(bodies).toHaveLength(PRODUCERS.length * APPENDS);
  for (const [body, offset] of offsets) expect(bodies[offset]).toBe(body);
  for (const id of PRODUCERS) {
    const own = bodies.filter((body) => body.startsWith(`${id} `));
    expect(own).toEqual(Array.from({ length: APPENDS }, (_, i) => `${id} ${i}`));
  }
  process.stderr.write(
    `the longest pause between two acknowledgements was ${longestPauseMs.toFixed(0)} ms\n`,
  );
  // The one that was killed catches up, and a majority with it serves when another one is gone.
  const [lost] = killed as [number];
  await cluster.launch(lost);
  await cluster.kill(await cluster.leaderOf('shard'));
  expect(await append(shard, 99, 'after')).toBe(bodies.length);
  expect(await readAll(shard)).toEqual([...bodies, 'after']);
});
