import type { Properties, Publish } from '@robustmq/mqtt-codec';
import { describe, expect, test } from 'vitest';
import { eventually } from './conformance.fixture.ts';
import { type DurableWorld, startDurable } from './durable.fixture.ts';
import {
  acknowledgement,
  type ConnectOptions,
  type Peer,
  publishPacket,
  subscriptionOf,
  textOf,
} from './peer.fixture.ts';

const KEPT: Properties = { sessionExpiryIntervalSeconds: 3600 };

/** A client with a session that outlives its connection, and takes up the one there is. */
function kept(clientId: string, options: ConnectOptions = {}): ConnectOptions {
  const properties = { ...KEPT, ...options.properties };
  return { cleanStart: false, ...options, clientId, properties };
}

const ENDS = [
  { end: 'an orderly stop', again: (world: DurableWorld) => world.restart() },
  { end: 'a crash', again: (world: DurableWorld) => world.crash() },
] as const;

/** A durable subscriber that has gone, with `count` messages for it. */
async function messagesWaiting(
  world: DurableWorld,
  options: { readonly qos: 1 | 2; readonly count: number },
): Promise<void> {
  const subscriber = await world.client(kept('reader'));
  await subscriber.subscribe('a/#', { qos: options.qos });
  await subscriber.disconnect();
  const publisher = await world.client();
  for (let n = 0; n < options.count; n += 1) {
    await publisher.publish(`a/${n % 3}`, `${n}`, { qos: options.qos });
  }
}

/** Payloads of the next messages, whatever comes between them. */
async function texts(peer: Peer, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let open = 0; found.length < count || open > 0; ) {
    const packet = await peer.raw.next(15_000);
    if (packet?.kind === 'pubrel') {
      peer.send(acknowledgement('pubcomp', packet.packetIdentifier));
      open -= 1;
    } else if (packet?.kind === 'publish') {
      found.push(textOf(packet));
      if (packet.qos > 0) {
        peer.send(acknowledgement(packet.qos === 1 ? 'puback' : 'pubrec', packet.packetIdentifier));
      }
      if (packet.qos === 2) open += 1;
    } else throw new Error(`unexpected ${packet?.kind}`);
  }
  return found;
}

/** Everything that the broker was told so far is on the disk: releases are written lazily. */
async function flushed(peer: Peer): Promise<void> {
  await peer.publish('flush', '', { qos: 1, retain: true });
}

function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `${from + n}`);
}

for (const { end, again } of ENDS) {
  describe(`after ${end}`, () => {
    for (const qos of [1, 2] as const) {
      test(`messages of QoS ${qos} for a session that is away are there, in order`, async () => {
        const world = await startDurable();
        await messagesWaiting(world, { qos, count: 20 });
        await again(world);
        const reader = await world.client(kept('reader'));
        expect(reader.connack.sessionPresent).toBe(true);
        expect(await texts(reader, 20)).toEqual(numbers(20));
        await reader.expectNothing();
      });
    }

    test('what was not acknowledged comes again under its identifier, with DUP, before the rest', async () => {
      const world = await startDurable();
      const reader = await world.client(kept('reader', { properties: { receiveMaximum: 4 } }));
      await reader.subscribe('a', { qos: 2 });
      const publisher = await world.client();
      for (let n = 0; n < 8; n += 1) {
        await publisher.publish('a', `${n}`, { qos: n % 2 === 0 ? 1 : 2 });
      }
      const open: Publish[] = [];
      while (open.length < 4) open.push(await reader.expect('publish'));
      await again(world);
      const back = await world.client(kept('reader', { properties: { receiveMaximum: 4 } }));
      for (const first of open) {
        expect(await back.expect('publish')).toEqual({ ...first, dup: true });
      }
      await back.expectNothing();
      for (const { qos, packetIdentifier } of open) {
        back.send(acknowledgement(qos === 1 ? 'puback' : 'pubrec', packetIdentifier));
      }
      const rest = new Collector(back);
      await eventually(() => rest.texts.length >= 4);
      expect(rest.texts).toEqual(['4', '5', '6', '7']);
    });

    test('PUBREL is repeated and never the PUBLISH (MQTT-5.0 §4.4)', async () => {
      const world = await startDurable();
      const reader = await world.client(kept('reader'));
      await reader.subscribe('a', { qos: 2 });
      const publisher = await world.client();
      await publisher.publish('a', 'x', { qos: 2 });
      const { packetIdentifier } = await reader.expect('publish');
      reader.send(acknowledgement('pubrec', packetIdentifier));
      await reader.expect('pubrel');
      await again(world);
      const back = await world.client(kept('reader'));
      expect((await back.expect('pubrel')).packetIdentifier).toBe(packetIdentifier);
      back.send(acknowledgement('pubcomp', packetIdentifier));
      await flushed(back);
      await again(world);
      await (await world.client(kept('reader'))).expectNothing();
    });

    test('a repeated PUBLISH of QoS 2 is not a second message', async () => {
      const world = await startDurable();
      const reader = await world.client(kept('reader'));
      await reader.subscribe('a', { qos: 2 });
      const publisher = await world.client(kept('writer'));
      publisher.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: 7 }));
      await publisher.expect('pubrec');
      await reader.disconnect();
      await again(world);
      const writer = await world.client(kept('writer'));
      writer.send(publishPacket('a', 'x', { qos: 2, packetIdentifier: 7, dup: true }));
      expect((await writer.expect('pubrec')).reasonCode).toBe(0);
      writer.send(acknowledgement('pubrel', 7));
      await writer.expect('pubcomp');
      await again(world);
      // Its identifier is free again.
      const next = await world.client(kept('writer'));
      await next.publish('a', 'y', { qos: 2, packetIdentifier: 7 });
      const back = await world.client(kept('reader'));
      expect(await texts(back, 2)).toEqual(['x', 'y']);
      await back.expectNothing();
    });

    test('subscriptions have their options and identifiers', async () => {
      const world = await startDurable();
      const reader = await world.client(kept('reader'));
      await reader.subscribeAll(
        [
          subscriptionOf('own', { qos: 1, noLocal: true }),
          subscriptionOf('kept', { qos: 2, retainAsPublished: true }),
        ],
        { subscriptionIdentifiers: [268_435_455] },
      );
      await reader.subscribe('gone', { qos: 1 });
      await reader.unsubscribe('gone');
      await again(world);
      const back = await world.client(kept('reader'));
      await back.publish('own', 'mine', { qos: 1 });
      await back.publish('gone', 'x', { qos: 1 });
      const publisher = await world.client();
      await publisher.publish('kept', 'k', { qos: 2, retain: true });
      const message = await back.receive();
      expect([textOf(message), message.qos, message.retain]).toEqual(['k', 2, true]);
      expect(message.properties.subscriptionIdentifiers).toEqual([268_435_455]);
      await publisher.publish('own', 'theirs', { qos: 1 });
      expect(await back.receiveText()).toBe('theirs');
      await back.expectNothing();
    });

    test('retained messages are there, and removed ones are not', async () => {
      const world = await startDurable();
      const publisher = await world.client();
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish(`r/${qos}`, `old ${qos}`, { qos, retain: true });
      }
      await publisher.publish('r/1', '1', { qos: 1, retain: true });
      await again(world);
      const second = await world.client();
      await second.publish('r/0', '', { retain: true });
      // What is retained with QoS 0 is durable with the next flush, which this one waits for.
      await second.publish('r/3', '3', { qos: 1, retain: true });
      await again(world);
      const reader = await world.client();
      await reader.subscribe('r/+', { qos: 2 });
      expect((await texts(reader, 3)).sort()).toEqual(['1', '3', 'old 2']);
      await reader.expectNothing();
    });

    test('a shared group with durable members goes on where it was', async () => {
      const world = await startDurable();
      const first = await world.client(kept('first'));
      await first.subscribe('$share/g/a', { qos: 1 });
      const publisher = await world.client();
      for (const n of numbers(30)) await publisher.publish('a', n, { qos: 1 });
      expect(await texts(first, 30)).toEqual(numbers(30));
      await first.disconnect();
      for (const n of numbers(10, 30)) await publisher.publish('a', n, { qos: 1 });
      await again(world);
      const back = await world.client(kept('first'));
      expect(await texts(back, 10)).toEqual(numbers(10, 30));
      await flushed(back);
      await again(world);
      await (await world.client(kept('first'))).expectNothing();
    });

    test('a message that a group gave does not hide what the session itself waits for', async () => {
      const world = await startDurable();
      const reader = await world.client(kept('reader', { properties: { receiveMaximum: 2 } }));
      await reader.subscribe('own', { qos: 1 });
      await reader.subscribe('$share/g/group', { qos: 1 });
      const publisher = await world.client();
      // Two fill the window, the others wait in the journal.
      for (const n of numbers(6)) await publisher.publish('own', n, { qos: 1 });
      for (const n of numbers(3)) await publisher.publish('group', `g${n}`, { qos: 1 });
      const one = await reader.expect('publish');
      reader.send(acknowledgement('puback', one.packetIdentifier));
      await reader.expect('publish');
      await reader.expect('publish');
      await again(world);
      const back = await world.client(kept('reader'));
      const found = await texts(back, 8);
      expect(found.filter((text) => !text.startsWith('g'))).toEqual(numbers(5, 1));
      expect(found.filter((text) => text.startsWith('g'))).toEqual(['g0', 'g1', 'g2']);
      await back.expectNothing();
    });

    test('a session ends when its time is over', async () => {
      const world = await startDurable();
      const properties = { sessionExpiryIntervalSeconds: 1 };
      const short = await world.client(kept('short', { properties }));
      await short.subscribe('a', { qos: 1 });
      await short.disconnect();
      await (await world.client(kept('long'))).disconnect();
      await again(world);
      await eventually(
        async () => (await world.metric('robust_mqtt_session_expirations_total')) === 1,
      );
      await again(world);
      expect((await world.client(kept('short'))).connack.sessionPresent).toBe(false);
      expect((await world.client(kept('long'))).connack.sessionPresent).toBe(true);
    });
  });
}

describe('a shared group of a durable and an ephemeral member', () => {
  test('keeps for the durable one what the other had not acknowledged', async () => {
    const world = await startDurable();
    const durable = await world.client(kept('durable'));
    await durable.subscribe('$share/g/a', { qos: 1 });
    await durable.disconnect();
    const ephemeral = await world.client();
    await ephemeral.subscribe('$share/g/a', { qos: 1 });
    const publisher = await world.client();
    for (const n of numbers(3)) await publisher.publish('a', n, { qos: 1 });
    for (let n = 0; n < 3; n += 1) await ephemeral.expect('publish');
    ephemeral.destroy();
    await eventually(async () => (await world.metric('mqtt_sessions_count')) === 2);
    await flushed(publisher);
    await world.crash();
    const back = await world.client(kept('durable'));
    expect(await texts(back, 3)).toEqual(numbers(3));
    await back.expectNothing();
  });
});

describe('a shared group and the end of a session', () => {
  test('gives to another what a durable member had open, when the broker dies right then', async () => {
    const world = await startDurable();
    const dying = await world.client(kept('dying'));
    await dying.subscribe('$share/g/a', { qos: 1 });
    await dying.subscribe('a', { qos: 1 });
    const publisher = await world.client();
    for (const n of numbers(3)) await publisher.publish('a', n, { qos: 1 });
    for (let n = 0; n < 6; n += 1) await dying.expect('publish');
    const other = await world.client(kept('other', { properties: { receiveMaximum: 1 } }));
    await other.subscribe('$share/g/a', { qos: 1 });
    await publisher.publish('a', 'fills the window of the other one', { qos: 1 });
    await dying.disconnect(0, { sessionExpiryIntervalSeconds: 0 });
    await flushed(publisher);
    await world.crash();
    const back = await world.client(kept('other'));
    const seen = await texts(back, 4);
    expect(seen.slice(1)).toEqual(numbers(3));
    await back.expectNothing();
  });

  test('still has what an ephemeral member had open with QoS 1 when the broker died', async () => {
    const world = await startDurable();
    const durable = await world.client(kept('durable'));
    await durable.subscribe('$share/g/a', { qos: 1 });
    await durable.disconnect();
    const ephemeral = await world.client();
    await ephemeral.subscribe('$share/g/a', { qos: 1 });
    const publisher = await world.client();
    for (const n of numbers(4)) await publisher.publish('a', n, { qos: 1 });
    const first = await ephemeral.expect('publish');
    ephemeral.send(acknowledgement('puback', first.packetIdentifier));
    for (let n = 1; n < 4; n += 1) await ephemeral.expect('publish');
    await ephemeral.expectNothing();
    await world.checkpoint();
    await world.crash();
    const back = await world.client(kept('durable'));
    expect(await texts(back, 3)).toEqual(['1', '2', '3']);
    await back.expectNothing();
    await flushed(back);
    await world.crash();
    await (await world.client(kept('durable'))).expectNothing();
  });
});

describe('the subscriptions of a durable session', () => {
  test('are there after a crash, whatever was changed and taken back', async () => {
    const world = await startDurable();
    const peer = await world.client(kept('reader'));
    for (const n of numbers(20)) await peer.subscribe(`a/${n}`, { qos: 1 });
    await peer.subscribe('a/3', { qos: 2 });
    expect(await peer.unsubscribe('a/4', 'a/5')).toEqual([0, 0]);
    await world.crash();
    const publisher = await world.client();
    for (const n of numbers(20)) await publisher.publish(`a/${n}`, n, { qos: 2 });
    const back = await world.client(kept('reader'));
    expect(await texts(back, 18)).toEqual(numbers(20).filter((n) => n !== '4' && n !== '5'));
  });

  test('cost the journal what they are, not what there is already', async () => {
    const world = await startDurable();
    const peer = await world.client(kept('reader'));
    for (const n of numbers(200)) await peer.subscribe(`a/long/enough/filter/${n}`, { qos: 1 });
    const before = await journalFigures(world);
    for (const n of numbers(100)) await peer.subscribe(`b/long/enough/filter/${n}`, { qos: 1 });
    const after = await journalFigures(world);
    expect(after.bytes - before.bytes).toBeLessThan(100 * 400);
  });
});

describe('a will', () => {
  const will = { topic: 'will', payload: 'gone', qos: 1 } as const;

  test('is published when it is the broker that dies, once', async () => {
    const world = await startDurable();
    const witness = await world.client(kept('witness'));
    await witness.subscribe('will', { qos: 1 });
    await world.client({ clientId: 'mortal', will });
    await world.crash();
    const back = await world.client(kept('witness'));
    expect(await texts(back, 1)).toEqual(['gone']);
    await flushed(back);
    await world.crash();
    await (await world.client(kept('witness'))).expectNothing();
  });

  test('that was taken back is not published after two crashes', async () => {
    const world = await startDurable();
    const witness = await world.client(kept('witness'));
    await witness.subscribe('will', { qos: 1 });
    const mortal = await world.client({ clientId: 'mortal', will });
    await world.checkpoint();
    await mortal.disconnect();
    await flushed(witness);
    await world.crash();
    await world.crash();
    await (await world.client(kept('witness'))).expectNothing();
  });

  test('with a delay waits on, and is not published to a client that is back', async () => {
    const world = await startDurable();
    const witness = await world.client(kept('witness'));
    await witness.subscribe('will', { qos: 1 });
    const properties = { willDelayIntervalSeconds: 1 };
    for (const clientId of ['returns', 'stays away']) {
      await world.client(kept(clientId, { will: { ...will, payload: clientId, properties } }));
    }
    await world.crash();
    await world.client(kept('returns'));
    const back = await world.client(kept('witness'));
    expect(await texts(back, 1)).toEqual(['stays away']);
    await back.expectNothing();
  });
});

describe('the journal', () => {
  test('holds a message for ten thousand absent sessions once', async () => {
    const world = await startDurable();
    const sessions = 10_000;
    for (let done = 0; done < sessions; done += 500) {
      await Promise.all(
        Array.from({ length: 500 }, async (_, n) => {
          const peer = await world.client(kept(`s${done + n}`));
          await peer.subscribe('all', { qos: 1 });
          peer.send({ kind: 'disconnect', reasonCode: 0, properties: {} });
          await peer.expectClosed();
        }),
      );
    }
    const publisher = await world.client();
    await flushed(publisher);
    const before = await journalFigures(world);
    for (const n of numbers(50)) {
      await publisher.publish('all', n.padEnd(1000, '.'), { qos: 1 });
    }
    const after = await journalFigures(world);
    // One for each message and, at most, one of operations for each flush; nothing per session.
    expect(after.records - before.records).toBeLessThanOrEqual(100);
    expect(after.bytes - before.bytes).toBeLessThan(50 * 1200);
    const one = await world.client(kept('s7777'));
    expect(await texts(one, 50)).toEqual(numbers(50).map((n) => n.padEnd(1000, '.')));
  });

  test('is read on when the window has room, in order and once, while more comes', async () => {
    const world = await startDurable();
    const count = 3000;
    await messagesWaiting(world, { qos: 2, count: 100 });
    const publisher = await world.client();
    const reader = await world.client(kept('reader', { properties: { receiveMaximum: 7 } }));
    const publishing = (async () => {
      for (let n = 100; n < count; n += 100) {
        for (let m = n; m < n + 100; m += 1) {
          publisher.send(publishPacket('a/0', `${m}`, { qos: 1, packetIdentifier: 1 + (m % 500) }));
        }
        for (let m = n; m < n + 100; m += 1) await publisher.expect('puback');
      }
    })();
    const found = new Collector(reader);
    await eventually(() => found.texts.length >= count);
    await publishing;
    expect(found.texts).toEqual(numbers(count));
  });

  test('lets go of its segments once everybody has what they hold', async () => {
    const world = await startDurable({ storage: 'segment_bytes_max = "1 MiB"' });
    const away = await world.client(kept('away'));
    await away.subscribe('rare', { qos: 1 });
    await away.subscribe('$share/g/rare', { qos: 1 });
    const reader = await world.client(kept('reader', { properties: { receiveMaximum: 10 } }));
    await reader.subscribe('a', { qos: 1 });
    await away.disconnect();
    await reader.disconnect();
    const publisher = await world.client();
    const text = 'x'.repeat(50_000);
    for (let n = 0; n < 120; n += 1) await publisher.publish('a', text, { qos: 1 });
    expect(await world.metric('robust_mqtt_journal_segments')).toBeGreaterThan(4);
    // Neither a checkpoint nor the one that wants something else may free what the reader needs.
    await world.restart();
    await world.checkpoint();
    const back = await world.client(kept('reader', { properties: { receiveMaximum: 10 } }));
    for (let n = 0; n < 120; n += 1) expect(await back.receiveText()).toBe(text);
    await back.disconnect();
    await eventually(async () => (await world.metric('robust_mqtt_journal_segments')) <= 1);
  });

  test('is not read as a whole at a start, however much it holds', async () => {
    const world = await startDurable();
    await messagesWaiting(world, { qos: 1, count: 1000 });
    await world.checkpoint();
    await world.restart();
    expect(world.restored).toMatchObject({ sessions: 1, recordsReplayed: 0 });
    const publisher = await world.client();
    for (const n of numbers(10, 1000)) await publisher.publish('a/0', n, { qos: 1 });
    await world.crash();
    expect(world.restored.recordsReplayed).toBeLessThan(30);
    expect(await texts(await world.client(kept('reader')), 1010)).toEqual(numbers(1010));
  });
});

/** Takes and acknowledges everything as it comes. */
class Collector {
  readonly texts: string[] = [];

  constructor(peer: Peer) {
    peer.raw.onPacket((packet) => {
      if (packet.kind === 'pubrel') {
        peer.send(acknowledgement('pubcomp', packet.packetIdentifier));
      } else if (packet.kind === 'publish') {
        this.texts.push(textOf(packet));
        peer.send(acknowledgement(packet.qos === 1 ? 'puback' : 'pubrec', packet.packetIdentifier));
      }
    });
  }
}

async function journalFigures(world: DurableWorld): Promise<{ records: number; bytes: number }> {
  return {
    records: await world.metric('robust_mqtt_journal_appended_records_total'),
    bytes: await world.metric('robust_mqtt_journal_bytes'),
  };
}
