import { describe, expect, test } from 'vitest';
import { eventually } from './conformance.fixture.ts';
import { type DurableWorld, startDurable } from './durable.fixture.ts';
import { type Peer, textOf } from './peer.fixture.ts';

const QUOTA_EXCEEDED = 0x97;
const MESSAGES = 200;
const PAD = 'x'.repeat(50_000);
const DROPPED = 'robust_mqtt_messages_dropped_total{reason="trimmed"}';
const SEGMENTS = 'robust_mqtt_journal_segments';

async function kept(world: DurableWorld, clientId: string, receiveMaximum = 10): Promise<Peer> {
  const properties = { sessionExpiryIntervalSeconds: 3600, receiveMaximum };
  return world.client({ clientId, cleanStart: false, properties });
}

/** Takes everything as it comes. @returns the numbers in the payloads */
async function numbersOf(peer: Peer, last: number): Promise<readonly number[]> {
  const seen: number[] = [];
  while (seen.at(-1) !== last) {
    const message = await peer.expect('publish');
    seen.push(Number.parseInt(textOf(message), 10));
    peer.send({
      kind: 'puback',
      packetIdentifier: message.packetIdentifier,
      reasonCode: 0,
      properties: {},
    });
  }
  return seen;
}

describe('a reader that holds more of the journal than it may', () => {
  test('loses its oldest messages, is told so, and goes on with the rest in order', async () => {
    const storage = 'segment_bytes_max = "1 MiB"\nreader_lag_bytes_max = "3 MiB"';
    const world = await startDurable({ storage });
    const away = await kept(world, 'away');
    await away.subscribe('a', { qos: 1 });
    await away.disconnect();
    const member = await kept(world, 'member');
    await member.subscribe('$share/g/a', { qos: 1 });
    await member.disconnect();
    const stalled = await kept(world, 'stalled', 1);
    await stalled.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (let n = 0; n < MESSAGES; n += 1) await publisher.publish('a', `${n} ${PAD}`, { qos: 1 });
    expect(await world.metric(SEGMENTS)).toBeGreaterThan(5);
    expect(textOf(await stalled.expect('publish'))).toBe(`0 ${PAD}`);
    expect(await stalled.expectClosed()).toBe(QUOTA_EXCEEDED);
    await eventually(async () => (await world.metric('robust_mqtt_journal_bytes')) <= 3 * 2 ** 20);
    const dropped = await world.metric(DROPPED);
    let missing = 0;
    for (const clientId of ['away', 'member', 'stalled']) {
      const seen = await numbersOf(await kept(world, clientId), MESSAGES - 1);
      const first = seen[0] as number;
      expect(first).toBeGreaterThan(MESSAGES / 2);
      expect(seen).toEqual(Array.from({ length: MESSAGES - first }, (_, index) => first + index));
      missing += first;
    }
    expect(dropped).toBe(missing);
  });

  test('keeps everything unless somebody set a limit, and by age when it is one of age', async () => {
    const rows = [
      { limit: '', segments: 5 },
      { limit: 'reader_lag_seconds_max = 3600', segments: 5 },
      { limit: 'reader_lag_seconds_max = 1', segments: 1 },
    ];
    for (const { limit, segments } of rows) {
      const world = await startDurable({ storage: `segment_bytes_max = "1 MiB"\n${limit}` });
      const away = await kept(world, 'away');
      await away.subscribe('a', { qos: 1 });
      await away.disconnect();
      const publisher = await world.client();
      for (let n = 0; n < 100; n += 1) await publisher.publish('a', `${n} ${PAD}`, { qos: 1 });
      if (segments === 1) await eventually(async () => (await world.metric(SEGMENTS)) <= 2);
      else {
        await world.checkpoint();
        expect(await world.metric(SEGMENTS)).toBeGreaterThanOrEqual(segments);
        expect((await numbersOf(await kept(world, 'away'), 99)).length).toBe(100);
      }
    }
  });
});
