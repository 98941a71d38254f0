import { encodePacket, type Properties } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { connectPacket, type ConnectOptions } from './peer.fixture.ts';

const VERSIONS = [3, 4, 5] as const;

describe('CONNECT is accepted', () => {
  for (const version of VERSIONS) {
    test(`at protocol level ${version}`, async () => {
      const world = await startBroker();
      const peer = await world.client({ version });
      expect(peer.connack).toMatchObject({ reasonCode: 0, sessionPresent: false });
      await peer.expectNothing();
    });

    test(`in single bytes at level ${version}, for TCP knows no packets (MQTT-5.0 [MQTT-4.2.0-1])`, async () => {
      const world = await startBroker();
      const peer = await world.stream(version);
      for (const byte of encodePacket(connectPacket(version), version)) peer.sendBytes(byte);
      expect((await peer.expect('connack')).reasonCode).toBe(0);
      await peer.expectNothing();
    });

    test(`at level ${version} together with what follows (MQTT-5.0 [MQTT-3.1.4-5])`, async () => {
      const world = await startBroker();
      const peer = await world.stream(version);
      const subscribe = encodePacket(
        {
          kind: 'subscribe',
          packetIdentifier: 9,
          subscriptions: [
            { filter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          ],
          properties: {},
        },
        version,
      );
      const connect = encodePacket(connectPacket(version), version);
      // The second piece begins in the middle of SUBSCRIBE.
      peer.raw.sendBytes(Buffer.concat([connect, subscribe.subarray(0, 3)]));
      expect((await peer.expect('connack')).reasonCode).toBe(0);
      peer.raw.sendBytes(Buffer.concat([subscribe.subarray(3), Uint8Array.of(0xc0, 0)]));
      expect((await peer.expect('suback')).packetIdentifier).toBe(9);
      await peer.expect('pingresp');
    });
  }

  test('with a password and no user name by 5.0 alone (MQTT-5.0 §3.1.2.9)', async () => {
    const world = await startBroker();
    const peer = await world.client({ password: Uint8Array.of(1) });
    await peer.expectNothing();
  });
});

describe('CONNECT is refused', () => {
  const BAD_VERSION = 0x84;
  const rows: readonly (readonly [why: string, bytes: readonly number[], code: number | null])[] = [
    ['level 6 (MQTT-5.0 §3.1.2.2)', mqtt(6), BAD_VERSION],
    ['level 3 with the name of 3.1.1 (MQTT-3.1.1 [MQTT-3.1.2-2])', mqtt(3), 1],
    ['the level of a bridge, with the answer of 3.1.1', mqtt(0x84), 1],
    ['level 4 with the name of 3.1 (MQTT-3.1.1 [MQTT-3.1.2-2])', mqIsdp(4), 1],
  ];
  for (const [why, bytes, code] of rows) {
    test(`at ${why}`, async () => {
      const world = await startBroker();
      const peer = await world.stream(code === BAD_VERSION ? 5 : 4);
      peer.sendBytes(...bytes);
      expect((await peer.expect('connack')).reasonCode).toBe(code);
      expect(await peer.expectClosed()).toBeNull();
    });
  }

  test('a second time on one connection (MQTT-5.0 [MQTT-3.1.0-2])', async () => {
    const world = await startBroker();
    for (const version of VERSIONS) {
      const peer = await world.client({ version });
      peer.send(connectPacket(version));
      expect(await peer.expectClosed()).toBe(version === 5 ? 0x82 : null);
    }
  });

  test('below the minimum version that is configured', async () => {
    const world = await startBroker({ mqtt: 'minimum_version = "3.1.1"' });
    const peer = await world.stream(3);
    expect((await peer.tryConnect()).reasonCode).toBe(1);
    expect(await peer.expectClosed()).toBeNull();
  });

  test('with a reserved flag (MQTT-5.0 [MQTT-3.1.2-3], MQTT-3.1.1 [MQTT-3.1.2-3])', async () => {
    const world = await startBroker();
    const five = await world.stream(5);
    five.sendBytes(0x10, 14, 0, 4, ...ascii('MQTT'), 5, 0x03, 0, 0, 0, 0, 1, 97);
    expect((await five.expect('connack')).reasonCode).toBe(0x81);
    const four = await world.stream(4);
    four.sendBytes(0x10, 13, 0, 4, ...ascii('MQTT'), 4, 0x03, 0, 0, 0, 1, 97);
    expect(await four.expectClosed()).toBeNull();
  });

  const malformed: readonly (readonly [clause: string, Properties, code: number])[] = [
    ['a Receive Maximum of 0 (§3.1.2.11.3)', { receiveMaximum: 0 }, 0x82],
    ['a Maximum Packet Size of 0 (§3.1.2.11.4)', { maximumPacketSizeBytes: 0 }, 0x82],
    ['Authentication Data alone (§3.1.2.11.10)', { authenticationData: Uint8Array.of(1) }, 0x82],
    ['an unknown method (§4.12)', { authenticationMethod: 'none such' }, 0x8c],
  ];
  for (const [why, properties, code] of malformed) {
    test(`with ${why}`, async () => {
      const world = await startBroker();
      const peer = await world.stream(5);
      expect((await peer.tryConnect({ properties })).reasonCode).toBe(code);
      expect(await peer.expectClosed()).toBeNull();
    });
  }
});

describe('the client identifier', () => {
  test('is assigned to a 5.0 client that has none (MQTT-5.0 [MQTT-3.1.3-7], [MQTT-3.2.2-16])', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: '' });
    const second = await world.client({ clientId: '' });
    const ids = [first, second].map((peer) => peer.connack.properties.assignedClientIdentifier);
    expect(ids[0]).toBeTypeOf('string');
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('may be empty in 3.1.1 only for a clean session (MQTT-3.1.1 [MQTT-3.1.3-8])', async () => {
    const world = await startBroker();
    await (await world.client({ version: 4, clientId: '' })).expectNothing();
    const peer = await world.stream(4);
    expect((await peer.tryConnect({ clientId: '', cleanStart: false })).reasonCode).toBe(2);
    expect(await peer.expectClosed()).toBeNull();
  });

  test('may be assigned for a session that stays (MQTT-5.0 §3.1.3.1)', async () => {
    const world = await startBroker();
    const kept = { sessionExpiryIntervalSeconds: 60 };
    const peer = await world.client({ clientId: '', properties: kept });
    const clientId = peer.connack.properties.assignedClientIdentifier ?? '';
    await peer.disconnect();
    const again = await world.client({ clientId, cleanStart: false, properties: kept });
    expect(again.connack.sessionPresent).toBe(true);
  });

  test('is refused above the limit that is configured', async () => {
    const world = await startBroker({ limits: 'client_id_bytes_max = 23' });
    await world.client({ clientId: 'é'.repeat(11) });
    const peer = await world.stream(5);
    expect((await peer.tryConnect({ clientId: 'é'.repeat(12) })).reasonCode).toBe(0x85);
  });
});

describe('CONNACK', () => {
  const rows: readonly (readonly [why: string, mqtt: string, Properties])[] = [
    ['the Maximum QoS (§3.2.2.3.4)', 'maximum_qos = 1', { maximumQos: 1 }],
    [
      'that nothing is retained (§3.2.2.3.5)',
      'retain_available = false',
      { retainAvailable: false },
    ],
    [
      'that wildcards are not available (§3.2.2.3.11)',
      'wildcard_subscription_available = false',
      { wildcardSubscriptionAvailable: false },
    ],
    [
      'that subscription identifiers are not available (§3.2.2.3.12)',
      'subscription_identifiers_available = false',
      { subscriptionIdentifiersAvailable: false },
    ],
    [
      'that shared subscriptions are not available (§3.2.2.3.13)',
      'shared_subscription_available = false',
      { sharedSubscriptionAvailable: false },
    ],
    ['the Receive Maximum (§3.2.2.3.3)', 'receive_maximum = 7', { receiveMaximum: 7 }],
    ['the Topic Alias Maximum (§3.2.2.3.8)', 'topic_alias_maximum = 9', { topicAliasMaximum: 9 }],
    [
      'the Maximum Packet Size (§3.2.2.3.6)',
      'maximum_packet_size_bytes = 2048',
      { maximumPacketSizeBytes: 2048 },
    ],
    [
      'the Server Keep Alive (§3.2.2.3.14)',
      'server_keep_alive_seconds = 60',
      { serverKeepAliveSeconds: 60 },
    ],
  ];
  for (const [why, mqtt, properties] of rows) {
    test(`tells ${why}`, async () => {
      const world = await startBroker({ mqtt });
      const peer = await world.client();
      expect(peer.connack.properties).toMatchObject(properties);
      const old = await world.client({ version: 4 });
      expect(old.connack.properties).toEqual({});
    });
  }

  test('shortens a session expiry above the maximum (MQTT-5.0 [MQTT-3.2.2-21] and §3.2.2.3.2)', async () => {
    const world = await startBroker({ mqtt: 'session_expiry_seconds_max = 100' });
    const long = await world.client({ properties: { sessionExpiryIntervalSeconds: 101 } });
    const short = await world.client({ properties: { sessionExpiryIntervalSeconds: 99 } });
    expect(long.connack.properties.sessionExpiryIntervalSeconds).toBe(100);
    expect(short.connack.properties.sessionExpiryIntervalSeconds).toBeUndefined();
  });

  test('carries Response Information only when it was asked for (MQTT-5.0 [MQTT-3.1.2-28])', async () => {
    const world = await startBroker({ mqtt: 'response_information = "answers/"' });
    const asks = await world.client({ properties: { requestResponseInformation: true } });
    const silent = await world.client();
    expect(asks.connack.properties.responseInformation).toBe('answers/');
    expect(silent.connack.properties.responseInformation).toBeUndefined();
  });

  test('says session present 0 with an error (MQTT-5.0 [MQTT-3.2.2-6])', async () => {
    const world = await startBroker();
    const kept: ConnectOptions = {
      clientId: 'c',
      cleanStart: false,
      properties: { sessionExpiryIntervalSeconds: 60 },
    };
    await (await world.client(kept)).disconnect();
    const other = await world.stream(5);
    const properties = { ...kept.properties, authenticationMethod: 'none such' };
    const connack = await other.tryConnect({ ...kept, properties });
    expect(connack).toMatchObject({ reasonCode: 0x8c, sessionPresent: false });
  });

  test('leaves the reserved byte 0 for 3.1 though a session is present (MQTT-3.1 §3.2)', async () => {
    const world = await startBroker();
    const kept: ConnectOptions = { version: 3, clientId: 'old', cleanStart: false };
    const first = await world.client(kept);
    expect(await first.subscribe('a')).toEqual([0]);
    await first.disconnect();
    const second = await world.client(kept);
    expect(second.connack.sessionPresent).toBe(false);
    await (await world.client()).publish('a', 'still subscribed');
    expect(await second.receiveText()).toBe('still subscribed');
  });

  test('is cut to fit, or there is no connection (MQTT-5.0 [MQTT-3.1.2-24], [MQTT-3.2.2-19])', async () => {
    const world = await startBroker();
    const peer = await world.stream(5);
    // The reason string of a refusal does not fit, its code does.
    const properties: Properties = { maximumPacketSizeBytes: 8 };
    peer.send(connectPacket(5, { clientId: '', properties }));
    expect(await peer.expectClosed()).toBeNull();
  });
});

function mqtt(level: number): readonly number[] {
  return [
    0x10,
    level === 6 ? 14 : 13,
    0,
    4,
    ...ascii('MQTT'),
    level,
    2,
    0,
    0,
    ...(level === 6 ? [0] : []),
    0,
    1,
    97,
  ];
}

function mqIsdp(level: number): readonly number[] {
  return [0x10, 15, 0, 6, ...ascii('MQIsdp'), level, 2, 0, 0, 0, 1, 97];
}

function ascii(text: string): readonly number[] {
  return [...Buffer.from(text)];
}
