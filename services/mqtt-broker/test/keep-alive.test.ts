import { describe, expect, test } from 'vitest';
import { eventually, startBroker } from './conformance.fixture.ts';

describe('keep alive', () => {
  test('closes a silent connection after one and a half times its length (MQTT-5.0 [MQTT-3.1.2-22], MQTT-3.1.1 [MQTT-3.1.2-24], MQTT-3.1 §3.1)', async () => {
    const world = await startBroker();
    const witness = await world.client();
    await witness.subscribe('will');
    const ends = ([3, 4, 5] as const).map(async (version) => {
      const peer = await world.client({ version, keepAliveSeconds: 2, will: {} });
      const startedMs = performance.now();
      expect(await peer.expectClosed()).toBe(version === 5 ? 0x8d : null);
      // The clock ticks once a second: the broker may be late, but never early.
      expect(performance.now() - startedMs).toBeGreaterThan(2900);
    });
    await Promise.all(ends);
    for (const _end of ends) expect(await witness.receiveText()).toBe('gone');
  });

  test('is kept by any packet, and 0 turns it off (MQTT-5.0 §3.1.2.10)', async () => {
    const world = await startBroker();
    const peer = await world.client({ keepAliveSeconds: 1 });
    const silent = await world.client({ keepAliveSeconds: 0 });
    const lost = await world.client({ keepAliveSeconds: 3 });
    let isLost = false;
    const loss = lost.expectClosed().then(() => {
      isLost = true;
    });
    while (!isLost) {
      await peer.expectNothing();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await loss;
    await silent.expectNothing();
  });

  test('of the server holds for a client that wanted another (MQTT-5.0 [MQTT-3.1.2-21])', async () => {
    const world = await startBroker({ mqtt: 'server_keep_alive_seconds = 1' });
    const peer = await world.client({ keepAliveSeconds: 3600 });
    expect(peer.connack.properties.serverKeepAliveSeconds).toBe(1);
    expect(await peer.expectClosed()).toBe(0x8d);
  });

  test('above the cap that is configured is replaced, and so is none', async () => {
    const world = await startBroker({ mqtt: 'keep_alive_seconds_max = 60' });
    for (const [wanted, told] of [
      [61, 60],
      [0, 60],
      [60, undefined],
      [5, undefined],
    ] as const) {
      const peer = await world.client({ keepAliveSeconds: wanted });
      expect(peer.connack.properties.serverKeepAliveSeconds).toBe(told);
    }
  });

  test('a stream without CONNECT is closed in time, however slowly it sends (MQTT-5.0 §3.1)', async () => {
    const world = await startBroker({ limits: 'connect_timeout_ms = 1000' });
    const silent = await world.stream(5);
    const slow = await world.stream(5);
    const drip = setInterval(() => slow.sendBytes(0x10), 200);
    slow.sendBytes(0x10, 0x7f);
    expect(await silent.expectClosed()).toBeNull();
    await eventually(() => slow.raw.end !== null);
    clearInterval(drip);
  });
});
