import { describe, expect, test } from 'vitest';
import { eventually, startBroker } from './conformance.fixture.ts';
import { textOf } from './peer.fixture.ts';

const SYS = { system: 'sys_topics = true\nsys_topics_interval_seconds = 1' };

describe('$SYS', () => {
  test('is not matched by filters that begin with a wildcard (MQTT-5.0 [MQTT-4.7.2-1])', async () => {
    const world = await startBroker(SYS);
    const plain = await world.client();
    for (const filter of ['#', '+/#', '+/brokers']) await plain.subscribe(filter, { qos: 1 });
    const admin = await world.client();
    await admin.subscribe('$SYS/#');
    const values = new Set<string>();
    while (values.size < 10) {
      const message = await admin.receive();
      expect(message.topic).toMatch(/^\$SYS\//);
      values.add(message.topic);
    }
    await plain.expectNothing();
  });

  test('values are retained', async () => {
    const world = await startBroker(SYS);
    const first = await world.client();
    await first.subscribe('$SYS/brokers');
    const topic = (await first.receive()).topic;
    const late = await world.client();
    await late.subscribe(topic);
    expect((await late.receive()).retain).toBe(true);
  });
});

describe('presence', () => {
  test('tells of clients that come, subscribe and go, in order', async () => {
    const world = await startBroker(SYS);
    const witness = await world.client();
    await witness.subscribe('$SYS/brokers/+/clients/+/+', { qos: 1 });
    const peer = await world.client({ clientId: 'guest' });
    await peer.subscribe('a');
    await peer.unsubscribe('a');
    await world.client({ clientId: 'guest' });
    const seen: string[] = [];
    const epochs: number[] = [];
    while (seen.length < 5) {
      const message = await witness.receive();
      if (!message.topic.includes('/guest/')) continue;
      const event = JSON.parse(textOf(message)) as Readonly<Record<string, unknown>>;
      seen.push(`${message.topic.split('/').at(-1)} ${String(event['reason'] ?? '')}`.trim());
      epochs.push(Number(event['epoch']));
    }
    expect(seen).toEqual([
      ...['connected', 'subscribed', 'unsubscribed'],
      ...['disconnected taken_over', 'connected'],
    ]);
    // Whoever gets two events of one client knows which is the newer one.
    expect(new Set(epochs).size).toBe(5);
    expect([...epochs].sort((a, b) => a - b)).toEqual(epochs);
  });

  test('can be watched for one client by its exact topic', async () => {
    const world = await startBroker(SYS);
    const witness = await world.client();
    await witness.subscribe('$SYS/brokers/1/clients/guest/connected', { qos: 1 });
    await world.client({ clientId: 'other' });
    await world.client({ clientId: 'guest' });
    expect(JSON.parse(textOf(await witness.receive()))).toMatchObject({ clientid: 'guest' });
    await witness.expectNothing();
  });

  test('of a client that watches itself comes after its CONNACK (MQTT-5.0 [MQTT-3.2.0-1])', async () => {
    const world = await startBroker(SYS);
    const kept = {
      clientId: 'narcissus',
      cleanStart: false,
      properties: { sessionExpiryIntervalSeconds: 60 },
    };
    const first = await world.client(kept);
    await first.subscribe('$SYS/brokers/+/clients/+/connected');
    await first.disconnect();
    await eventually(async () => (await world.metric('mqtt_connections_count')) === 0);
    const second = await world.client(kept);
    expect((await second.receive()).topic).toMatch(/narcissus\/connected$/);
  });
});
