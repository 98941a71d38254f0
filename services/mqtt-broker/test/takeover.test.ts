import { describe, expect, test } from 'vitest';
import { startBroker } from './conformance.fixture.ts';
import { connectPacket, publishPacket } from './peer.fixture.ts';

const KEPT = { sessionExpiryIntervalSeconds: 3600 };

describe('a second connection of one client identifier', () => {
  for (const version of [3, 4, 5] as const) {
    test(`ends the first, level ${version} (MQTT-5.0 [MQTT-3.1.4-3], MQTT-3.1.1 [MQTT-3.1.4-2])`, async () => {
      const world = await startBroker();
      const first = await world.client({ version, clientId: 'c' });
      const second = await world.client({ version, clientId: 'c' });
      expect(await first.expectClosed()).toBe(version === 5 ? 0x8e : null);
      await second.expectNothing();
    });
  }

  test('gets the session with everything that is open (MQTT-5.0 [MQTT-3.1.2-5])', async () => {
    const world = await startBroker();
    const first = await world.client({ clientId: 'c', properties: KEPT });
    await first.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    await publisher.publish('a', '1', { qos: 1 });
    const open = await first.expect('publish');
    const second = await world.client({ clientId: 'c', cleanStart: false, properties: KEPT });
    expect(second.connack.sessionPresent).toBe(true);
    expect(await second.expect('publish')).toEqual({ ...open, dup: true });
    await publisher.publish('a', '2', { qos: 1 });
    expect(await second.receiveText()).toBe('2');
  });

  test('publishes the will of the first (MQTT-5.0 §3.1.4)', async () => {
    const world = await startBroker();
    const witness = await world.client();
    await witness.subscribe('#');
    const rows = [
      [true, 0, ['gone']],
      [true, 60, ['gone']],
      [false, 0, ['gone']],
      [false, 60, []],
    ] as const;
    for (const [cleanStart, willDelayIntervalSeconds, expected] of rows) {
      const will = { properties: { willDelayIntervalSeconds } };
      const clientId = `${cleanStart}-${willDelayIntervalSeconds}`;
      await world.client({ clientId, properties: KEPT, will });
      await world.client({ clientId, cleanStart, properties: KEPT });
      for (const text of expected) expect(await witness.receiveText()).toBe(text);
      await witness.expectNothing();
    }
  });

  test('by turns, a hundred times, loses and doubles nothing', async () => {
    const world = await startBroker();
    const reader = { clientId: 'c', cleanStart: false, properties: KEPT };
    let current = await world.client(reader);
    await current.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (let round = 0; round < 100; round += 1) {
      publisher.send(publishPacket('a', `${round}`, { qos: 1, packetIdentifier: round + 1 }));
      if (round % 3 === 0) await publisher.expect('puback');
      const next = await world.client(reader);
      if (round % 3 !== 0) await publisher.expect('puback');
      expect(await next.receiveText()).toBe(`${round}`);
      // The acknowledgement is handled before the next connection takes over.
      await next.expectNothing();
      current = next;
    }
    await current.expectNothing();
  });

  test('while many connect at once leaves exactly one (MQTT-5.0 [MQTT-3.1.4-3])', async () => {
    const world = await startBroker();
    const peers = await Promise.all(Array.from({ length: 20 }, () => world.stream(5)));
    for (const peer of peers) peer.send(connectPacket(5, { clientId: 'c', properties: KEPT }));
    // Each is accepted and told of the takeover later, or refused because the next one came first.
    const connacks = await Promise.all(peers.map((peer) => peer.expect('connack')));
    for (const peer of peers) peer.send({ kind: 'pingreq' });
    const after = await Promise.all(peers.map((peer) => peer.raw.next(15_000)));
    const fates = connacks.map(({ reasonCode }, index) =>
      reasonCode === 0 ? after[index]?.kind : 'refused',
    );
    expect(fates.filter((fate) => fate === 'pingresp')).toHaveLength(1);
    const gone = fates.filter((fate) => fate === 'disconnect' || fate === 'refused');
    expect(gone).toHaveLength(19);
  });
});
