import { type Offset, RecordBatchBuilder, type SharedShard } from '@robustmq/journal';
import { moveShard, type ShardMove, type ShardState } from '@robustmq/placement-registry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestServers } from './testing/test-servers.ts';

const START = 0 as Offset;
const CALL = { deadlineMs: 20_000, signal: null };
const NAME = { namespace: 'test', shard: 'shard' };

let servers: TestServers;

beforeEach(async () => {
  servers = await TestServers.start([1, 2, 3], {
    rules: {
      ...{ lostAfterMs: 300, growingWaitMs: 500, lookEveryMs: 100 },
    },
  });
});

afterEach(async (context) => {
  await servers.close();
  if (context.task.result?.state === 'fail') process.stderr.write(servers.lines.join(''));
});

/** Appends numbers one after the other, until it is told to stop. */
class Numbers {
  readonly #shard: SharedShard;
  readonly #running: Promise<void>;
  #isOver = false;
  count = 0;

  constructor(shard: SharedShard) {
    this.#shard = shard;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const builder = new RecordBatchBuilder();
      const body = new TextEncoder().encode(String(this.count));
      builder.add(1, new TextEncoder().encode('t'), 0, 1, body);
      const producer = { id: 7, incarnation: 1 };
      const options = { producer, acknowledgement: 'all-synced', deadlineMs: 20_000 } as const;
      expect(await this.#shard.append(builder.seal(START, 1), options)).toBe(this.count);
      this.count += 1;
    }
  }
}

async function numbersIn(shard: SharedShard): Promise<number[]> {
  const end = await shard.committed(20_000);
  const reader = shard.openReader(START, { kind: 'everything' });
  const found: number[] = [];
  while (reader.position < end) {
    for (const { body } of await reader.read(1000, 1_000_000)) {
      found.push(Number(new TextDecoder().decode(body)));
    }
  }
  return found;
}

function voters(...nodes: readonly number[]): (state: ShardState) => boolean {
  return (state) => state.voters.join() === nodes.join() && state.learners.length === 0;
}

function move(replica: ShardMove['replica']): Promise<unknown> {
  return moveShard(servers.registries, { ...NAME, replica, leader: null }, CALL);
}

test('a shard that moves, is rebuilt and loses servers under load keeps every record in order', async () => {
  await servers.createShard('shard', 'messages');
  const shard = await servers.connect().openShard('shard');
  const numbers = new Numbers(shard);
  const { leader, groupId } = await servers.stateOf('shard', voters(1, 2, 3));
  const others = [1, 2, 3].filter((node) => node !== leader);
  const [second = 0, third = 0] = others;

  await servers.start(4);
  await move({ from: leader, to: 4 });
  await servers.stateOf('shard', voters(second, third, 4));

  await move({ from: second, to: null });
  await servers.stateOf('shard', voters(third, 4));
  const three = await servers.stateOf('shard', ({ voters: now }) => now.length === 3);
  const spare = three.voters.includes(second) ? leader : second;
  while (servers.hasFiles(spare, groupId)) await new Promise((resolve) => setImmediate(resolve));

  await servers.stop(third);
  await servers.stateOf('shard', ({ voters: now }) => now.includes(spare) && now.length === 3);
  await numbers.stop();
  expect(await numbersIn(shard)).toEqual(Array.from({ length: numbers.count }, (_, i) => i));
});

test('a server whose disk is full lets another lead, and leads again when the others are full', async () => {
  await servers.createShard('shard', 'messages');
  const shard = await servers.connect().openShard('shard');
  const { leader } = await servers.stateOf('shard', voters(1, 2, 3));
  const others = [1, 2, 3].filter((node) => node !== leader);

  servers.filled.add(leader);
  const next = await servers.stateOf('shard', (state) => state.leader !== leader);
  expect(next.voters).toEqual([1, 2, 3]);
  const numbers = new Numbers(shard);
  while (numbers.count === 0) await new Promise((resolve) => setImmediate(resolve));
  await numbers.stop();
  // It comes back when the others have no room.
  for (const other of others) servers.filled.add(other);
  servers.filled.delete(leader);
  await servers.stateOf('shard', (state) => state.leader === leader && state.term > next.term);
  servers.filled.clear();
  expect(await numbersIn(shard)).toEqual(Array.from({ length: numbers.count }, (_, i) => i));
});
