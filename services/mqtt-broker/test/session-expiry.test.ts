import { describe, expect, test } from 'vitest';
import { eventually, startBroker } from './conformance.fixture.ts';
import type { ConnectOptions } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

describe('a session', () => {
  for (const version of [3, 4] as const) {
    test(`without the clean flag stays, with it goes, level ${version} (MQTT-3.1.1 [MQTT-3.1.2-4] to [MQTT-3.1.2-6], [MQTT-3.2.2-2])`, async () => {
      const world = await startBroker();
      const kept: ConnectOptions = { version, clientId: 'c', cleanStart: false };
      const first = await world.client(kept);
      await first.subscribe('a', { qos: 1 });
      await first.disconnect();
      const publisher = await world.client();
      await publisher.publish('a', 'kept', { qos: 1 });
      const second = await world.client(kept);
      expect(second.connack.sessionPresent).toBe(version === 4);
      expect(await second.receiveText()).toBe('kept');
      await second.disconnect();
      const clean = await world.client({ ...kept, cleanStart: true });
      expect(clean.connack.sessionPresent).toBe(false);
      await clean.disconnect();
      const third = await world.client(kept);
      expect(third.connack.sessionPresent).toBe(false);
      await publisher.publish('a', 'lost', { qos: 1 });
      await third.expectNothing();
    });
  }

  const rows: readonly (readonly [why: string, expiry: number | undefined, present: boolean])[] = [
    ['without an interval ends with its connection', undefined, false],
    ['with interval 0 ends with its connection', 0, false],
    ['with an interval stays', 3600, true],
    ['with the largest interval stays', 0xffff_ffff, true],
  ];
  for (const [why, expiry, present] of rows) {
    test(`${why} (MQTT-5.0 §3.1.2.11.2, [MQTT-3.1.2-23])`, async () => {
      const world = await startBroker();
      const properties = expiry === undefined ? {} : { sessionExpiryIntervalSeconds: expiry };
      const first = await world.client({ clientId: 'c', cleanStart: false, properties });
      await first.subscribe('a', { qos: 1 });
      await first.disconnect();
      const second = await world.client({ clientId: 'c', cleanStart: false, properties });
      expect(second.connack.sessionPresent).toBe(present);
      await (await world.client()).publish('a', 'x', { qos: 1 });
      if (present) expect(await second.receiveText()).toBe('x');
      await second.expectNothing();
    });
  }

  test('ends when its interval is over, with what it kept (MQTT-5.0 §4.1)', async () => {
    const world = await startBroker();
    const properties = { sessionExpiryIntervalSeconds: 1 };
    const first = await world.client({ clientId: 'c', properties });
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    await (await world.client()).publish('a', 'x', { qos: 1 });
    await eventually(async () => (await world.metric('mqtt_sessions_count')) === 1);
    const second = await world.client({ clientId: 'c', cleanStart: false, properties });
    expect(second.connack.sessionPresent).toBe(false);
    await second.expectNothing();
  });

  test('takes the interval of DISCONNECT (MQTT-5.0 §3.14.2.2.2)', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: 'c', properties: KEPT });
    await first.disconnect(0, { sessionExpiryIntervalSeconds: 0 });
    const second = await world.client({ clientId: 'c', cleanStart: false, properties: KEPT });
    expect(second.connack.sessionPresent).toBe(false);
  });

  test('without an interval at CONNECT gets none at DISCONNECT (MQTT-5.0 [MQTT-3.14.2-2])', async () => {
    const world = await startBroker();
    const peer = await world.client();
    peer.send({ kind: 'disconnect', reasonCode: 0, properties: KEPT });
    expect(await peer.expectClosed()).toBe(0x82);
  });

  test('takes the interval of each new connection (MQTT-5.0 §3.1.2.11.2)', async () => {
    const world = await startBroker();
    await (await world.client({ clientId: 'c', properties: KEPT })).disconnect();
    const second = await world.client({ clientId: 'c', cleanStart: false });
    expect(second.connack.sessionPresent).toBe(true);
    await second.disconnect();
    const third = await world.client({ clientId: 'c', cleanStart: false });
    expect(third.connack.sessionPresent).toBe(false);
  });

  test('starts anew with Clean Start and stays all the same (MQTT-5.0 [MQTT-3.1.2-4])', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: 'c', properties: KEPT });
    await first.subscribe('a', { qos: 1 });
    await first.disconnect();
    const second = await world.client({ clientId: 'c', cleanStart: true, properties: KEPT });
    expect(second.connack.sessionPresent).toBe(false);
    await (await world.client()).publish('a', 'x', { qos: 1 });
    await second.expectNothing();
    await second.disconnect();
    const third = await world.client({ clientId: 'c', cleanStart: false, properties: KEPT });
    expect(third.connack.sessionPresent).toBe(true);
  });
});
