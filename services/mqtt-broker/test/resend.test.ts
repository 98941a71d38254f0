import { expect, test } from 'vitest';
import { eventually } from './conformance.fixture.ts';
import { type DurableWorld, startDurable } from './durable.fixture.ts';
import type { Peer } from './peer.fixture.ts';

const COUNT = 300;
const USED = 'robust_mqtt_memory_budget_used_bytes';

async function reader(world: DurableWorld): Promise<Peer> {
  const properties = { sessionExpiryIntervalSeconds: 3600, receiveMaximum: COUNT };
  return world.client({ clientId: 'reader', cleanStart: false, properties });
}

async function takeAll(peer: Peer): Promise<readonly number[]> {
  const sizes: number[] = [];
  while (sizes.length < COUNT) sizes.push((await peer.expect('publish')).payload.length);
  return sizes;
}

test('what is repeated to a client that does not read waits in the journal, not in memory', async () => {
  const world = await startDurable({ limits: 'output_bytes_max = "64KB"' });
  const first = await reader(world);
  await first.subscribe('a', { qos: 1 });
  const publisher = await world.client();
  const taken = takeAll(first);
  for (let n = 0; n < COUNT; n += 1)
    await publisher.publish('a', 'x'.repeat(100_000 + n), { qos: 1 });
  const sizes = await taken;
  first.raw.reset();
  await eventually(async () => (await world.metric('mqtt_connections_count')) === 1);
  const back = await reader(world);
  back.raw.pause();
  await eventually(async () => (await world.metric(USED)) >= 64_000);
  for (let look = 0; look < 30; look += 1) {
    expect(await world.metric(USED)).toBeLessThan(2 ** 20);
    await publisher.publish('elsewhere', 'x', { qos: 1 });
  }
  back.raw.resume();
  expect(await takeAll(back)).toEqual(sizes);
});
