import { describe, expect, test } from 'vitest';
import { startBroker, type World } from './conformance.fixture.ts';
import {
  acknowledgement,
  type ConnectOptions,
  type Peer,
  publishPacket,
  subscriptionOf,
} from './peer.fixture.ts';

/** What MQTT-3.1.1 asks of a server, statement by statement; where 5.0 asks the same, its tests say more. */
const V4 = { version: 4 } as const;

async function pair(): Promise<{ world: World; a: Peer; b: Peer }> {
  const world = await startBroker();
  return { world, a: await world.client(V4), b: await world.client(V4) };
}

function durable(clientId: string): ConnectOptions {
  return { version: 4, clientId, cleanStart: false };
}

describe('a session of MQTT-3.1.1', () => {
  test('is kept with clean session 0, with what comes meanwhile, and CONNACK says so ([MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.2.2-2], [MQTT-3.2.2-3], [MQTT-4.1.0-1], [MQTT-4.1.0-2], [MQTT-3.1.3-2])', async () => {
    const { world, b } = await pair();
    const first = await world.client(durable('kept'));
    expect(first.connack.sessionPresent).toBe(false);
    await first.subscribe('a', { qos: 2 });
    await first.disconnect();
    for (const qos of [1, 2] as const) await b.publish('a', `${qos}`, { qos });
    const back = await world.client(durable('kept'));
    expect(back.connack.sessionPresent).toBe(true);
    expect([await back.receiveText(), await back.receiveText()]).toEqual(['1', '2']);
  });

  test('is discarded with clean session 1, retained messages are not of it ([MQTT-3.1.2-6], [MQTT-3.1.2-7], [MQTT-3.2.2-1])', async () => {
    const { world, b } = await pair();
    const first = await world.client(durable('c'));
    await first.subscribe('a', { qos: 1 });
    await first.publish('r', 'retained', { qos: 1, retain: true });
    await first.disconnect();
    await b.publish('a', 'x', { qos: 1 });
    const clean = await world.client({ version: 4, clientId: 'c', cleanStart: true });
    expect(clean.connack.sessionPresent).toBe(false);
    await clean.expectNothing();
    await clean.subscribe('r', { qos: 1 });
    expect(await clean.receiveText()).toBe('retained');
  });

  test('repeats what was not acknowledged, under its identifier, with DUP, in order ([MQTT-4.4.0-1], [MQTT-3.3.1-1], [MQTT-4.6.0-5], [MQTT-4.6.0-6])', async () => {
    const { world, b } = await pair();
    const first = await world.client(durable('c'));
    await first.subscribe('a', { qos: 1 });
    for (const payload of ['1', '2', '3']) await b.publish('a', payload, { qos: 1 });
    const sent = [];
    for (let n = 0; n < 3; n += 1) sent.push(await first.expect('publish'));
    first.raw.reset();
    const back = await world.client(durable('c'));
    for (const { packetIdentifier, payload } of sent) {
      expect(await back.expect('publish')).toMatchObject({ packetIdentifier, payload, dup: true });
    }
  });

  test('goes to a second connection, and the first is closed ([MQTT-3.1.4-2], [MQTT-3.1.4-3], [MQTT-3.1.4-4])', async () => {
    const world = await startBroker();
    const first = await world.client({ version: 4, clientId: 'same' });
    const second = await world.client({ version: 4, clientId: 'same' });
    expect(await first.expectClosed()).toBeNull();
    await second.expectNothing();
  });
});

describe('CONNECT of MQTT-3.1.1', () => {
  test('must be first and once ([MQTT-3.1.0-1], [MQTT-3.1.0-2], [MQTT-4.8.0-1])', async () => {
    const world = await startBroker();
    const early = await world.stream(4);
    early.send({ kind: 'pingreq' });
    expect(await early.expectClosed()).toBeNull();
    const twice = await world.client(V4);
    await expect(twice.tryConnect()).rejects.toThrow('the stream is over');
  });

  test('of a level that we do not speak gets 1 and the end ([MQTT-3.1.2-2], [MQTT-3.2.2-5], [MQTT-3.2.2-4])', async () => {
    const world = await startBroker();
    const peer = await world.stream(4);
    peer.sendBytes(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 9, 2, 0, 0, 0, 1, 0x63);
    const connack = await peer.raw.next(15_000);
    if (connack !== null) expect(connack).toMatchObject({ reasonCode: 1, sessionPresent: false });
    expect(connack === null ? null : await peer.raw.next(15_000)).toBeNull();
  });

  test('with a wrong name, or reserved or contradicting flags, is not accepted ([MQTT-3.1.2-1], [MQTT-3.1.2-3], [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-14], [MQTT-3.1.2-15], [MQTT-3.1.2-22], [MQTT-3.2.2-6], [MQTT-3.1.4-1])', async () => {
    const world = await startBroker();
    for (const flags of [0x03, 0x0a, 0x1e, 0x22, 0x42]) {
      const peer = await world.stream(4);
      peer.sendBytes(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0, 0, 1, 0x63);
      expect(await peer.expectClosed()).toBeNull();
    }
    const peer = await world.stream(4);
    peer.sendBytes(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x53, 4, 2, 0, 0, 0, 1, 0x63);
    const answer = await peer.raw.next(15_000);
    if (answer !== null) expect(answer).toMatchObject({ kind: 'connack', reasonCode: 1 });
  });

  test('may come without client identifier if the session is clean ([MQTT-3.1.3-5], [MQTT-3.1.3-6], [MQTT-3.1.3-8], [MQTT-3.1.3-9])', async () => {
    const world = await startBroker();
    for (const clientId of ['', '0123456789abcdefghijkLM', 'Z']) {
      await (await world.client({ version: 4, clientId })).expectNothing();
    }
    const refused = await world.stream(4);
    const connack = await refused.tryConnect({ clientId: '', cleanStart: false });
    expect(connack).toMatchObject({ reasonCode: 2, sessionPresent: false });
    expect(await refused.raw.next(15_000)).toBeNull();
  });

  test('is answered before anything else ([MQTT-3.2.0-1], [MQTT-3.1.4-5])', async () => {
    const { world, b } = await pair();
    const first = await world.client(durable('c'));
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    await b.publish('a', 'x', { qos: 1 });
    const back = await world.stream(4);
    expect((await back.tryConnect(durable('c'))).reasonCode).toBe(0);
    expect(await back.receiveText()).toBe('x');
  });
});

describe('a will of MQTT-3.1.1', () => {
  test('is published when the connection is lost, once, retained if it says so ([MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.1.2-12], [MQTT-3.1.2-16], [MQTT-3.1.2-17])', async () => {
    const { world, a } = await pair();
    await a.subscribe('will/#', { qos: 1 });
    for (const retain of [false, true]) {
      const will = { topic: `will/${retain}`, payload: 'gone', qos: 1, retain } as const;
      const mortal = await world.client({ version: 4, will });
      mortal.raw.reset();
      expect(await a.receive()).toMatchObject({ topic: `will/${retain}`, retain: false });
    }
    (await world.client(V4)).raw.reset();
    await a.expectNothing();
    const later = await world.client(V4);
    await later.subscribe('will/#', { qos: 1 });
    expect(await later.receive()).toMatchObject({ topic: 'will/true', retain: true });
    await later.expectNothing();
  });

  test('is discarded by DISCONNECT ([MQTT-3.14.4-3])', async () => {
    const { world, a } = await pair();
    await a.subscribe('will');
    await (await world.client({ version: 4, will: {} })).disconnect();
    await a.expectNothing();
  });
});

describe('PUBLISH of MQTT-3.1.1', () => {
  test('goes to whose filter matches, DUP is not passed on ([MQTT-3.3.1-2], [MQTT-3.3.1-3], [MQTT-3.3.2-3], [MQTT-3.3.4-1], [MQTT-4.3.1-1], [MQTT-4.3.2-1], [MQTT-4.3.2-2], [MQTT-4.3.3-1], [MQTT-4.3.3-2], [MQTT-4.5.0-1], [MQTT-2.3.1-1], [MQTT-2.3.1-4], [MQTT-2.3.1-5], [MQTT-2.3.1-6])', async () => {
    const { a, b } = await pair();
    await a.subscribe('a/+', { qos: 2 });
    await b.publish('b/1', 'not for a', { qos: 1 });
    for (const qos of [0, 1, 2] as const) {
      expect(await b.publish('a/1', `${qos}`, { qos, dup: qos > 0 })).toBe(0);
      const message = await a.receive();
      expect(message).toMatchObject({ topic: 'a/1', qos, dup: false });
      expect(message.packetIdentifier > 0).toBe(qos > 0);
    }
  });

  test('with QoS 3, a wildcard, no topic or no identifier ends the connection ([MQTT-3.3.1-4], [MQTT-3.3.2-2], [MQTT-4.7.1-1], [MQTT-4.7.3-1], [MQTT-2.3.1-1])', async () => {
    const world = await startBroker();
    const rows = [
      [0x36, 5, 0, 1, 0x61, 0, 1],
      [0x30, 3, 0, 1, 0x2b],
      [0x30, 3, 0, 1, 0x23],
      [0x30, 2, 0, 0],
      [0x32, 5, 0, 1, 0x61, 0, 0],
    ];
    for (const bytes of rows) {
      const peer = await world.client(V4);
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBeNull();
    }
  });

  test('with retain 1 is kept for later subscribers, replaced, and removed ([MQTT-3.3.1-5], [MQTT-3.3.1-6], [MQTT-3.3.1-7], [MQTT-3.3.1-8], [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11], [MQTT-3.3.1-12])', async () => {
    const { world, a, b } = await pair();
    await a.subscribe('r', { qos: 1 });
    for (const [payload, qos] of [
      ['1', 1],
      ['2', 0],
    ] as const) {
      await b.publish('r', payload, { qos, retain: true });
      expect((await a.receive()).retain).toBe(false);
    }
    await b.publish('r', 'not retained', { qos: 1 });
    await a.receive();
    const later = await world.client(V4);
    await later.subscribe('r', { qos: 1 });
    const kept = await later.receive();
    expect([kept.retain, Buffer.from(kept.payload).toString()]).toEqual([true, '2']);
    await b.publish('r', '', { qos: 1, retain: true });
    expect((await later.receive()).payload).toHaveLength(0);
    await (await world.client(V4)).expectNothing();
    await later.subscribe('r', { qos: 1 });
    await later.expectNothing();
  });

  test('with an acknowledgement whose flags are wrong ends the connection ([MQTT-2.2.2-1], [MQTT-2.2.2-2], [MQTT-3.6.1-1], [MQTT-3.14.1-1])', async () => {
    const world = await startBroker();
    for (const bytes of [
      [0x60, 2, 0, 1],
      [0x41, 2, 0, 1],
      [0xe1, 0],
      [0xc1, 0],
    ]) {
      const peer = await world.client(V4);
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBeNull();
    }
  });
});

describe('SUBSCRIBE and UNSUBSCRIBE of MQTT-3.1.1', () => {
  test('are answered under their identifier, one code each, in order ([MQTT-2.3.1-7], [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-4], [MQTT-3.8.4-5], [MQTT-3.9.3-1], [MQTT-3.9.3-2], [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-3.8.3-2])', async () => {
    const world = await startBroker();
    const peer = await world.client(V4);
    const filters = ['a', 'b/#', 'c#', '+/d', 'd+', '#/e'];
    const subscriptions = filters.map((filter, index) =>
      subscriptionOf(filter, { qos: (index % 3) as 0 | 1 | 2 }),
    );
    expect(await peer.subscribeAll(subscriptions)).toEqual([0, 1, 0x80, 0, 0x80, 0x80]);
  });

  test('replace a subscription and repeat what is retained; overlapping ones give one copy at the highest QoS ([MQTT-3.8.4-3], [MQTT-3.8.4-6], [MQTT-3.3.5-1])', async () => {
    const { a, b } = await pair();
    await b.publish('r', 'kept', { qos: 1, retain: true });
    for (const qos of [0, 2] as const) {
      await a.subscribe('r', { qos });
      expect((await a.receive()).qos).toBe(Math.min(qos, 1));
    }
    await a.subscribe('#', { qos: 1 });
    await a.receive();
    await b.publish('r', 'once', { qos: 2 });
    expect((await a.receive()).qos).toBe(2);
    await a.expectNothing();
  });

  test('end what they name and nothing else, and are answered in any case ([MQTT-3.10.4-1], [MQTT-3.10.4-2], [MQTT-3.10.4-3], [MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6])', async () => {
    const { a, b } = await pair();
    for (const filter of ['a', 'A', 'b']) await a.subscribe(filter, { qos: 1 });
    await b.publish('a', 'open', { qos: 1 });
    const open = await a.expect('publish');
    await a.unsubscribe('a', 'b', 'never');
    a.send(acknowledgement('puback', open.packetIdentifier));
    for (const topic of ['a', 'b', 'A']) await b.publish(topic, topic, { qos: 1 });
    expect(await a.receiveText()).toBe('A');
    await a.expectNothing();
  });

  test('without filters, or with reserved bits, end the connection ([MQTT-3.8.1-1], [MQTT-3.8.3-3], [MQTT-3.8.3-4], [MQTT-3.10.1-1], [MQTT-3.10.3-2])', async () => {
    const world = await startBroker();
    for (const bytes of [
      [0x80, 6, 0, 1, 0, 1, 0x61, 0],
      [0x82, 2, 0, 1],
      [0x82, 6, 0, 1, 0, 1, 0x61, 3],
      [0x82, 6, 0, 1, 0, 1, 0x61, 4],
      [0xa0, 5, 0, 1, 0, 1, 0x61],
      [0xa2, 2, 0, 1],
    ]) {
      const peer = await world.client(V4);
      peer.sendBytes(...bytes);
      expect(await peer.expectClosed()).toBeNull();
    }
  });
});

describe('the rest of MQTT-3.1.1', () => {
  test('PINGREQ is answered, topics are compared as they are, `$` is not matched by a wildcard ([MQTT-3.12.4-1], [MQTT-4.7.2-1], [MQTT-4.7.3-4], [MQTT-1.5.3-3], [MQTT-4.2.0-1])', async () => {
    const { a, b } = await pair();
    await a.subscribe('#');
    await a.subscribe('+/x');
    await b.publish('$own/x', 'hidden');
    const topics = ['\u00e9', 'e\u0301', '\ufeffa', 'a'];
    for (const topic of topics) b.send(publishPacket(topic, 'x'));
    for (const topic of topics) expect((await a.receive()).topic).toBe(topic);
    await a.expectNothing();
  });

  test('a topic of 65,535 bytes is legal where the limits allow it ([MQTT-4.7.3-3])', async () => {
    const world = await startBroker({ limits: 'topic_bytes_max = 65535' });
    const peer = await world.client(V4);
    const topic = 'x'.repeat(65_535);
    await peer.subscribe('+');
    peer.send(publishPacket(topic, 'x'));
    expect((await peer.receive()).topic).toBe(topic);
  });
});
