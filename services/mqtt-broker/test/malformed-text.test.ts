import { encodePacket, type Packet, type ProtocolVersion } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { connectPacket, publishPacket, subscriptionOf } from './peer.fixture.ts';

/** Stands where a text is made ill-formed afterwards: as long as what replaces it. */
const MARK = 'ZQ';
const ILL_FORMED = [
  [0xc3, 0x28],
  [0xed, 0xa0],
  [0x5a, 0x00],
] as const;

/** The packet with the marked text replaced. */
function damaged(packet: Packet, version: ProtocolVersion, by: readonly number[]): Buffer {
  const bytes = Buffer.from(encodePacket(packet, version));
  const at = bytes.indexOf(MARK);
  expect(at).toBeGreaterThan(0);
  bytes.set(by, at);
  return bytes;
}

const WILL = { topic: 'w', payload: 'x' };

describe('a CONNECT with a text that is not well-formed UTF-8, or holds U+0000, is refused', () => {
  const rows: readonly (readonly [string, ProtocolVersion, Packet])[] = [
    ['client identifier (MQTT-5.0 [MQTT-3.1.3-4])', 5, connectPacket(5, { clientId: MARK })],
    ['client identifier (MQTT-3.1.1 [MQTT-3.1.3-4])', 4, connectPacket(4, { clientId: MARK })],
    ['will topic (MQTT-5.0 [MQTT-3.1.3-11])', 5, connectPacket(5, { will: { topic: MARK } })],
    ['will topic (MQTT-3.1.1 [MQTT-3.1.3-10])', 4, connectPacket(4, { will: { topic: MARK } })],
    ['user name (MQTT-5.0 [MQTT-3.1.3-12])', 5, connectPacket(5, { username: MARK })],
    ['user name (MQTT-3.1.1 [MQTT-3.1.3-11])', 4, connectPacket(4, { username: MARK })],
    [
      'user property (MQTT-5.0 [MQTT-1.5.7-1])',
      5,
      connectPacket(5, { properties: { userProperties: [['name', MARK]] } }),
    ],
  ];
  for (const [what, version, packet] of rows) {
    test(`in its ${what}`, async () => {
      const world = await startBroker();
      for (const by of ILL_FORMED) {
        const peer = await world.stream(version);
        peer.raw.sendBytes(damaged(packet, version, by));
        const answer = await peer.raw.next(15_000);
        if (answer !== null) expect(answer).toMatchObject({ kind: 'connack' });
        if (answer?.kind === 'connack') expect(answer.reasonCode).not.toBe(0);
        expect(answer === null ? null : await peer.raw.next(15_000)).toBeNull();
      }
    });
  }
});

describe('a packet with a text that is not well-formed UTF-8, or holds U+0000, ends the connection', () => {
  const subscribe: Packet = {
    kind: 'subscribe',
    packetIdentifier: 1,
    subscriptions: [subscriptionOf(MARK)],
    properties: {},
  };
  const unsubscribe: Packet = {
    kind: 'unsubscribe',
    packetIdentifier: 1,
    filters: [MARK],
    properties: {},
  };
  const rows: readonly (readonly [string, ProtocolVersion, Packet])[] = [
    ['topic name (MQTT-5.0 [MQTT-3.3.2-1])', 5, publishPacket(MARK, 'x')],
    [
      'topic name (MQTT-3.1.1 [MQTT-3.3.2-1], [MQTT-1.5.3-1], [MQTT-1.5.3-2], [MQTT-4.7.3-2])',
      4,
      publishPacket(MARK, 'x'),
    ],
    [
      'response topic (MQTT-5.0 [MQTT-3.3.2-13])',
      5,
      publishPacket('a', 'x', { properties: { responseTopic: MARK } }),
    ],
    [
      'content type (MQTT-5.0 [MQTT-3.3.2-19])',
      5,
      publishPacket('a', 'x', { properties: { contentType: MARK } }),
    ],
    ['topic filter (MQTT-5.0 [MQTT-3.8.3-1])', 5, subscribe],
    ['topic filter (MQTT-3.1.1 [MQTT-3.8.3-1])', 4, subscribe],
    ['topic filter (MQTT-5.0 [MQTT-3.10.3-1])', 5, unsubscribe],
    ['topic filter (MQTT-3.1.1 [MQTT-3.10.3-1])', 4, unsubscribe],
  ];
  for (const [what, version, packet] of rows) {
    test(`in its ${what}`, async () => {
      const world = await startBroker();
      for (const by of ILL_FORMED) {
        const peer = await world.client({ version });
        peer.raw.sendBytes(damaged(packet, version, by));
        const code = await peer.expectClosed();
        expect(version === 5 ? code : 0x81).toBeGreaterThanOrEqual(0x81);
      }
    });
  }
});

describe('a CONNECT whose flags and payload disagree is refused', () => {
  const id = [0, 1, 0x63];
  const text = [0, 1, 0x75];
  const rows: readonly (readonly [string, number, readonly number[]])[] = [
    ['a user name without its flag (MQTT-5.0 [MQTT-3.1.2-16])', 0x02, [...id, ...text]],
    ['the flag without a user name (MQTT-5.0 [MQTT-3.1.2-17])', 0x82, id],
    ['a password without its flag (MQTT-5.0 [MQTT-3.1.2-18])', 0x82, [...id, ...text, ...text]],
    ['the flag without a password (MQTT-5.0 [MQTT-3.1.2-19])', 0xc2, [...id, ...text]],
    ['the will flag without a will (MQTT-5.0 [MQTT-3.1.2-9])', 0x06, id],
    ['no client identifier, which is first (MQTT-5.0 [MQTT-3.1.3-3])', 0x02, []],
  ];
  const rows311 = [
    'MQTT-3.1.1 [MQTT-3.1.2-18]',
    'MQTT-3.1.1 [MQTT-3.1.2-19]',
    'MQTT-3.1.1 [MQTT-3.1.2-20]',
    'MQTT-3.1.1 [MQTT-3.1.2-21]',
    'MQTT-3.1.1 [MQTT-3.1.2-9]',
    'MQTT-3.1.1 [MQTT-3.1.3-3]',
  ];
  for (const [index, [why, flags, payload]] of rows.entries()) {
    test(`${why}; ${rows311[index]}`, async () => {
      const world = await startBroker();
      for (const level of [4, 5]) {
        const properties = level === 5 ? [0] : [];
        const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, level, flags, 0, 0, ...properties, ...payload];
        const peer = await world.stream(level as 4 | 5);
        peer.sendBytes(0x10, body.length, ...body);
        const answer = await peer.raw.next(15_000);
        if (answer?.kind === 'connack') expect(answer.reasonCode).not.toBe(0);
        else expect(answer).toBeNull();
      }
    });
  }

  test('and one whose property length is missing (MQTT-5.0 [MQTT-2.2.2-1])', async () => {
    const world = await startBroker();
    const peer = await world.stream(5);
    const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 0];
    peer.sendBytes(0x10, body.length, ...body);
    expect(await peer.expect('connack')).toMatchObject({ reasonCode: 0x81 });
  });

  test('while fields in their order are each what they are (MQTT-5.0 [MQTT-3.1.3-1], MQTT-3.1.1 [MQTT-3.1.3-1])', async () => {
    for (const version of [4, 5] as const) {
      const world = await startBroker();
      const witness = await world.client();
      await witness.subscribe('w');
      const options = { clientId: 'c', will: WILL, username: 'u', password: Uint8Array.of(7) };
      const peer = await world.client({ version, ...options });
      peer.raw.reset();
      expect(await witness.receiveText()).toBe('x');
    }
  });

  test('an empty retained message is delivered and not kept (MQTT-5.0 [MQTT-3.3.1-7])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    await peer.subscribe('a');
    peer.send(publishPacket('a', '', { retain: true }));
    expect(await peer.receiveText()).toBe('');
    await peer.subscribe('a');
    await peer.expectNothing();
  });
});
