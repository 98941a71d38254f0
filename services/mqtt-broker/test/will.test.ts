import { describe, expect, test } from 'vitest';
import { eventually, startBroker, type World } from './conformance.fixture.ts';
import { type ConnectOptions, type Peer, textOf } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

/** A subscriber to everything, to see wills. */
async function witness(world: World): Promise<Peer> {
  const peer = await world.client();
  await peer.subscribe('#', { qos: 2 });
  return peer;
}

describe('a will is published', () => {
  for (const version of [3, 4, 5] as const) {
    test(`when the connection breaks, level ${version} (MQTT-5.0 [MQTT-3.1.2-8], MQTT-3.1.1 [MQTT-3.1.2-8])`, async () => {
      const world = await startBroker();
      const seen = await witness(world);
      for (const qos of [0, 1, 2] as const) {
        const peer = await world.client({ version, will: { topic: `w/${qos}`, qos } });
        peer.destroy();
        const message = await seen.receive();
        expect([message.topic, textOf(message), message.qos]).toEqual([`w/${qos}`, 'gone', qos]);
      }
    });

    test(`after a protocol error, level ${version} (MQTT-5.0 §3.1.2.5)`, async () => {
      const world = await startBroker();
      const seen = await witness(world);
      const peer = await world.client({ version, will: {} });
      peer.sendBytes(0x00, 0x00);
      expect(await peer.expectClosed()).toBe(version === 5 ? 0x81 : null);
      expect(await seen.receiveText()).toBe('gone');
    });
  }

  const rows = [
    [0x04, 'that asks for it'],
    [0x80, 'that tells of an error'],
    [0x81, 'that finds our packets malformed'],
  ] as const;
  for (const [code, why] of rows) {
    test(`after a DISCONNECT ${why} (MQTT-5.0 [MQTT-3.1.2-10], §3.14.2.1)`, async () => {
      const world = await startBroker();
      const seen = await witness(world);
      const peer = await world.client({ will: {} });
      await peer.disconnect(code);
      expect(await seen.receiveText()).toBe('gone');
    });
  }

  test('with its properties and flags (MQTT-5.0 §3.1.3.2)', async () => {
    const world = await startBroker();
    const seen = await world.client();
    await seen.subscribe('w', { qos: 2, retainAsPublished: true });
    const properties = {
      payloadFormatIndicator: 1 as const,
      contentType: 'text/plain',
      responseTopic: 'r',
      correlationData: Uint8Array.of(7),
      userProperties: [['a', 'b']] as const,
    };
    const will = { topic: 'w', qos: 1, retain: true, properties } as const;
    const peer = await world.client({ will });
    peer.destroy();
    const message = await seen.receive();
    expect(message).toMatchObject({ qos: 1, retain: true, properties });
    const late = await world.client();
    await late.subscribe('w');
    expect(textOf(await late.receive())).toBe('gone');
  });

  test('with an expiry that begins when it is published (MQTT-5.0 §3.1.3.2.4)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const peer = await world.client({ will: { properties: { messageExpiryIntervalSeconds: 9 } } });
    peer.destroy();
    expect((await seen.receive()).properties.messageExpiryIntervalSeconds).toBe(9);
  });

  test('that is over at once when its expiry is 0: it is retained for nobody (MQTT-5.0 §3.1.3.2.4)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const properties = { messageExpiryIntervalSeconds: 0 };
    const peer = await world.client({ will: { topic: 'w', retain: true, properties } });
    peer.destroy();
    expect((await seen.receive()).properties.messageExpiryIntervalSeconds).toBe(0);
    const late = await world.client();
    await late.subscribe('w');
    await late.expectNothing();
  });

  test('when the broker shuts down, before the streams end (MQTT-5.0 §3.1.2.5)', async () => {
    const world = await startBroker();
    const kept = { clientId: 'seen', cleanStart: false, properties: KEPT };
    const seen = await world.client(kept);
    await seen.subscribe('#', { qos: 1 });
    const peer = await world.client({ will: { qos: 1 } });
    await world.shutDown();
    expect(await peer.expectClosed()).toBe(0x8b);
  });
});

describe('a will is deleted', () => {
  for (const version of [3, 4, 5] as const) {
    test(`by a normal DISCONNECT, level ${version} (MQTT-5.0 [MQTT-3.14.4-3], MQTT-3.1.1 [MQTT-3.14.4-3])`, async () => {
      const world = await startBroker();
      const seen = await witness(world);
      const peer = await world.client({ version, will: {} });
      await peer.disconnect();
      await seen.expectNothing();
    });
  }

  test('by a connection that has none (MQTT-5.0 §3.1.2.5)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const kept = { clientId: 'c', cleanStart: false, properties: KEPT };
    const delayed = { properties: { willDelayIntervalSeconds: 3600 } };
    const first = await world.client({ ...kept, will: delayed });
    first.destroy();
    const second = await world.client(kept);
    second.destroy();
    await eventually(async () => (await world.metric('mqtt_connections_count')) === 1);
    await seen.expectNothing();
  });
});

describe('a will with a delay', () => {
  const later: ConnectOptions = {
    clientId: 'c',
    cleanStart: false,
    properties: KEPT,
    will: { properties: { willDelayIntervalSeconds: 1 } },
  };

  test('is published when the time is over (MQTT-5.0 §3.1.3.2.2)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const peer = await world.client(later);
    peer.destroy();
    await seen.expectNothing();
    expect(await seen.receiveText()).toBe('gone');
  });

  test('is not published when the session goes on in time (MQTT-5.0 [MQTT-3.1.3-9])', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const first = await world.client(later);
    first.destroy();
    const second = await world.client({ ...later, will: { payload: 'second' } });
    // The second will has no delay: the first one, which had one, would be due before it.
    second.destroy();
    expect(await seen.receiveText()).toBe('second');
  });

  test('is published at once when the session ends with the connection (MQTT-5.0 §3.1.3.2.2)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const will = { properties: { willDelayIntervalSeconds: 3600 } };
    const peer = await world.client({ will });
    peer.destroy();
    expect(await seen.receiveText()).toBe('gone');
  });

  test('is published when the session is replaced by a clean one (MQTT-5.0 §3.1.4)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const will = { properties: { willDelayIntervalSeconds: 3600 } };
    const first = await world.client({ ...later, will });
    first.destroy();
    await eventually(async () => (await world.metric('mqtt_connections_count')) === 1);
    await world.client({ clientId: 'c', cleanStart: true });
    expect(await seen.receiveText()).toBe('gone');
  });

  test('is published when the session expires before it is due (MQTT-5.0 §3.1.3.2.2)', async () => {
    const world = await startBroker();
    const seen = await witness(world);
    const will = { properties: { willDelayIntervalSeconds: 3600 } };
    const properties = { sessionExpiryIntervalSeconds: 1 };
    const peer = await world.client({ will, properties });
    peer.destroy();
    expect(await seen.receiveText()).toBe('gone');
  });
});

describe('a will is refused', () => {
  const rows: readonly (readonly [why: string, ConnectOptions, mqtt: string, code: number])[] = [
    [
      'above the Maximum QoS (MQTT-5.0 [MQTT-3.2.2-12])',
      { will: { qos: 2 } },
      'maximum_qos = 1',
      0x9b,
    ],
    [
      'with RETAIN where that is not available (MQTT-5.0 [MQTT-3.2.2-13])',
      { will: { retain: true } },
      'retain_available = false',
      0x9a,
    ],
    ['below $SYS, where only the broker speaks', { will: { topic: '$SYS/x' } }, '', 0x87],
  ];
  for (const [why, options, mqtt, code] of rows) {
    test(why, async () => {
      const world = await startBroker({ mqtt });
      const peer = await world.stream(5);
      expect((await peer.tryConnect(options)).reasonCode).toBe(code);
    });
  }

  test('to a topic with a wildcard (MQTT-5.0 §3.1.3.3, [MQTT-4.7.1-1])', async () => {
    const world = await startBroker();
    for (const version of [4, 5] as const) {
      const peer = await world.stream(version);
      peer.sendBytes(
        ...[0x10, version === 5 ? 20 : 18, 0, 4, 77, 81, 84, 84, version, 0x06, 0, 0],
        ...(version === 5 ? [0] : []),
        ...[0, 1, 97],
        ...(version === 5 ? [0] : []),
        ...[0, 1, 0x23, 0, 0],
      );
      if (version === 5) expect((await peer.expect('connack')).reasonCode).toBeGreaterThan(0x80);
      expect(await peer.expectClosed()).toBeNull();
    }
  });
});
