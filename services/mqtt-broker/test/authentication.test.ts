import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from '@robustmq/mqtt-session';
import { describe, expect, test } from 'vitest';
import { eventually, startBroker } from './conformance.fixture.ts';
import { type ConnectOptions, connectPacket, type Peer, publishPacket } from './peer.fixture.ts';

/** Adds up: the client has to say twice the number that it is sent, as often as `rounds` says. */
class Doubling implements AuthenticationMethod {
  readonly name = 'DOUBLING';
  readonly #rounds: number;
  /** Steps that wait for `release`, when the test wants to hold them. */
  readonly held: (() => void)[] = [];
  holds = false;

  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  begin(): AuthenticationExchange {
    let expected = -1;
    let round = 0;
    return {
      advance: async (data): Promise<AuthenticationStep> => {
        if (this.holds) await new Promise<void>((resolve) => this.held.push(resolve));
        if (expected >= 0 && data?.[0] !== expected)
          return { step: 'failure', reason: 'wrong sum' };
        if (round === this.#rounds) {
          return { step: 'success', data: Uint8Array.of(255), username: 'adder' };
        }
        round += 1;
        expected = round * 2;
        return { step: 'continue', data: Uint8Array.of(round) };
      },
    };
  }
}

const OPTIONS: ConnectOptions = { properties: { authenticationMethod: 'DOUBLING' } };

function say(peer: Peer, reasonCode: 0x18 | 0x19, data: number | null, method = 'DOUBLING'): void {
  peer.send({
    kind: 'auth',
    reasonCode,
    properties: {
      authenticationMethod: method,
      ...(data === null ? {} : { authenticationData: Uint8Array.of(data) }),
    },
  });
}

describe('enhanced authentication', () => {
  test('goes through as many rounds as the method wants (MQTT-5.0 §4.12, [MQTT-4.12.0-2] to [MQTT-4.12.0-4])', async () => {
    const world = await startBroker({ methods: [new Doubling(3)] });
    const peer = await world.stream(5);
    peer.send(connectPacket(5, OPTIONS));
    for (const round of [1, 2, 3]) {
      const auth = await peer.expect('auth');
      expect(auth).toMatchObject({
        reasonCode: 0x18,
        properties: { authenticationMethod: 'DOUBLING', authenticationData: Uint8Array.of(round) },
      });
      say(peer, 0x18, round * 2);
    }
    const connack = await peer.expect('connack');
    expect(connack).toMatchObject({
      reasonCode: 0,
      properties: { authenticationMethod: 'DOUBLING', authenticationData: Uint8Array.of(255) },
    });
    await peer.expectNothing();
  });

  test('that fails is refused and closed (MQTT-5.0 [MQTT-4.12.0-1])', async () => {
    const world = await startBroker({ methods: [new Doubling(1)] });
    const peer = await world.stream(5);
    peer.send(connectPacket(5, OPTIONS));
    await peer.expect('auth');
    say(peer, 0x18, 3);
    expect((await peer.expect('connack')).reasonCode).toBe(0x87);
    expect(await peer.expectClosed()).toBeNull();
  });

  test('may be given up with DISCONNECT (MQTT-5.0 [MQTT-3.1.2-30])', async () => {
    const world = await startBroker({ methods: [new Doubling(1)] });
    const peer = await world.stream(5);
    peer.send(connectPacket(5, OPTIONS));
    await peer.expect('auth');
    peer.send({ kind: 'disconnect', reasonCode: 0, properties: {} });
    expect(await peer.expectClosed()).toBeNull();
  });

  const wrong: readonly (readonly [why: string, send: (peer: Peer) => void, code: number])[] = [
    ['another method (MQTT-5.0 [MQTT-4.12.0-5])', (peer) => say(peer, 0x18, 2, 'OTHER'), 0x8c],
    ['a re-authentication out of turn (MQTT-5.0 §4.12.1)', (peer) => say(peer, 0x19, 2), 0x82],
    ['a PUBLISH (MQTT-5.0 [MQTT-3.1.2-30])', (peer) => peer.send(publishPacket('a', 'x')), 0x82],
    ['a second CONNECT (MQTT-5.0 [MQTT-3.1.0-2])', (peer) => peer.send(connectPacket(5)), 0x82],
  ];
  for (const [why, send, code] of wrong) {
    test(`is refused at ${why}`, async () => {
      const world = await startBroker({ methods: [new Doubling(1)] });
      const peer = await world.stream(5);
      peer.send(connectPacket(5, OPTIONS));
      await peer.expect('auth');
      send(peer);
      expect((await peer.expect('connack')).reasonCode).toBe(code);
      expect(await peer.expectClosed()).toBeNull();
    });
  }

  test('keeps nothing of a client that leaves while the method still thinks', async () => {
    const method = new Doubling(0);
    method.holds = true;
    const world = await startBroker({ methods: [method] });
    const witness = await world.client();
    await witness.subscribe('will');
    const peer = await world.stream(5);
    peer.send(connectPacket(5, { ...OPTIONS, will: {} }));
    while (method.held.length === 0) await witness.expectNothing();
    peer.raw.reset();
    await witness.expectNothing();
    for (const release of method.held.splice(0)) release();
    // It was accepted, and then it was gone.
    expect(await witness.receiveText()).toBe('gone');
    await eventually(async () => (await world.metric('mqtt_sessions_count')) === 1);
    await witness.expectNothing();
  });

  test('of two connections of one client identifier lets the one that ends it last have the session', async () => {
    const method = new Doubling(0);
    method.holds = true;
    const world = await startBroker({ methods: [method] });
    const peers = [await world.stream(5), await world.stream(5)];
    const bystander = await world.client();
    for (const [index, peer] of peers.entries()) {
      peer.send(connectPacket(5, { ...OPTIONS, clientId: 'same' }));
      while (method.held.length <= index) await bystander.expectNothing();
    }
    // Both wait; packets that they send meanwhile wait with them.
    for (const peer of peers) peer.send({ kind: 'pingreq' });
    method.held[1]?.();
    expect((await peers[1]?.expect('connack'))?.reasonCode).toBe(0);
    await peers[1]?.expect('pingresp');
    method.held[0]?.();
    expect((await peers[0]?.expect('connack'))?.reasonCode).toBe(0);
    await peers[0]?.expect('pingresp');
    expect(await peers[1]?.expectClosed()).toBe(0x8e);
  });
});

describe('re-authentication', () => {
  async function connected(): Promise<Peer> {
    const world = await startBroker({ methods: [new Doubling(1)] });
    const peer = await world.stream(5);
    peer.send(connectPacket(5, OPTIONS));
    await peer.expect('auth');
    say(peer, 0x18, 2);
    await peer.expect('connack');
    return peer;
  }

  test('goes on beside everything else (MQTT-5.0 §4.12.1)', async () => {
    const peer = await connected();
    await peer.subscribe('a');
    for (let count = 0; count < 2; count += 1) {
      say(peer, 0x19, null);
      expect((await peer.expect('auth')).reasonCode).toBe(0x18);
      peer.send(publishPacket('a', 'meanwhile'));
      expect(await peer.receiveText()).toBe('meanwhile');
      say(peer, 0x18, 2);
      expect((await peer.expect('auth')).reasonCode).toBe(0);
      await peer.expectNothing();
    }
  });

  test('that fails closes the connection (MQTT-5.0 [MQTT-4.12.1-2])', async () => {
    const peer = await connected();
    say(peer, 0x19, null);
    await peer.expect('auth');
    say(peer, 0x18, 9);
    expect(await peer.expectClosed()).toBe(0x87);
  });

  test('keeps the method of CONNECT (MQTT-5.0 [MQTT-4.12.1-1])', async () => {
    const peer = await connected();
    say(peer, 0x19, null, 'OTHER');
    expect(await peer.expectClosed()).toBe(0x8c);
  });

  test('answers nothing that was not asked (MQTT-5.0 §3.15.2.1)', async () => {
    const peer = await connected();
    say(peer, 0x18, 2);
    expect(await peer.expectClosed()).toBe(0x82);
  });

  test('is told of a takeover by DISCONNECT while the method still thinks', async () => {
    const method = new Doubling(0);
    const world = await startBroker({ methods: [method] });
    const peer = await world.client({ ...OPTIONS, clientId: 'c' });
    const bystander = await world.client();
    method.holds = true;
    say(peer, 0x19, null);
    while (method.held.length === 0) await bystander.expectNothing();
    const second = await world.stream(5);
    second.send(connectPacket(5, { ...OPTIONS, clientId: 'c' }));
    while (method.held.length === 1) await bystander.expectNothing();
    method.held[1]?.();
    expect((await second.expect('connack')).reasonCode).toBe(0);
    expect(await peer.expectClosed()).toBe(0x8e);
    for (const release of method.held.splice(0)) release();
    await bystander.expectNothing();
  });
});
