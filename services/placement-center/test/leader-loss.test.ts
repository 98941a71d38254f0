import { prefixRange, type Revision } from '@robustmq/placement';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster, put, SOON } from './cluster.fixture.ts';

const KILLS = 3;
const WRITES_BETWEEN = 30;

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

test('whoever leads is killed again and again: nothing acknowledged is lost, and a watch sees each change once, in order', async () => {
  const ids = [1, 2, 3];
  await cluster.found(ids, []);
  const placement = await cluster.connect(ids);
  const watch = placement.watch({
    range: prefixRange('k/'),
    from: 1 as Revision,
    progressEveryMs: null,
  });
  const acknowledged: string[] = [];
  const pausesMs: number[] = [];
  let number = 0;
  const write = async (): Promise<void> => {
    number += 1;
    const key = `k/${String(number).padStart(5, '0')}`;
    const transaction = { ...put(key, 'x'), requestId: `write-${String(number)}` };
    await placement.transact(transaction, SOON);
    acknowledged.push(key);
  };

  for (let round = 0; round < KILLS; round += 1) {
    for (let at = 0; at < WRITES_BETWEEN; at += 1) await write();
    const leader = await cluster.leader();
    await cluster.kill(leader);
    const killedMs = performance.now();
    await write();
    pausesMs.push(Math.round(performance.now() - killedMs));
    await cluster.isReady(cluster.launch(leader));
  }
  for (let at = 0; at < WRITES_BETWEEN; at += 1) await write();
  console.log(`writes resumed ${pausesMs.join(', ')} ms after kill -9 of the leader`);

  const found = await placement.range(
    { range: prefixRange('k/'), limit: 0, content: 'keys', consistency: 'linearizable' },
    SOON,
  );
  expect(found.keyValues.map(({ key }) => key)).toEqual(acknowledged);
  const seen: string[] = [];
  for await (const { events } of watch) {
    seen.push(...events.map((event) => (event.kind === 'put' ? event.keyValue.key : event.key)));
    if (seen.length >= acknowledged.length) break;
  }
  expect(seen).toEqual(acknowledged);
});
