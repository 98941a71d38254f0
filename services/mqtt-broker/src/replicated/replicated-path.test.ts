import { Message } from '@robustmq/broker';
import type { Packet, Publish, Qos } from '@robustmq/mqtt-codec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publishMessage } from '../publish-message.ts';
import { acknowledgement } from './actors.fixture.ts';
import { Cluster, KEPT, type Node, turns, until } from './cluster.fixture.ts';
import type { MemoryPeer } from './memory-peer.fixture.ts';
import type { ReplicatedLog } from './replicated-log.ts';

let cluster: Cluster;
let a: Node;
let b: Node;

beforeEach(async () => {
  cluster = new Cluster();
  a = await cluster.start('a', 1);
  b = await cluster.start('b', 2);
});

afterEach(async () => {
  await cluster.end();
  expect(cluster.fatal).toEqual([]);
});

function publish(topic: string, qos: Qos, packetIdentifier: number, dup = false): Publish {
  return {
    kind: 'publish',
    topic,
    payload: new TextEncoder().encode(`${topic} ${packetIdentifier}`),
    qos,
    retain: false,
    dup,
    packetIdentifier,
    properties: {},
  };
}

function subscribe(filter: string, qos: Qos): Packet {
  const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return {
    kind: 'subscribe',
    packetIdentifier: 1,
    subscriptions: [{ filter, ...options }],
    properties: {},
  };
}

function of<Kind extends Packet['kind']>(peer: MemoryPeer, kind: Kind): Packet[] {
  return peer.packets.filter((packet) => packet.kind === kind);
}

function texts(peer: MemoryPeer): string[] {
  return peer.packets.flatMap((packet) =>
    packet.kind === 'publish' ? [new TextDecoder().decode(packet.payload)] : [],
  );
}

async function subscriber(node: Node, clientId: string, filter: string, qos: Qos) {
  const peer = await cluster.client(node, clientId);
  peer.send(subscribe(filter, qos));
  await until(() => of(peer, 'suback').length === 1);
  return peer;
}

describe('a durable session in a cluster', () => {
  test('gets what another broker took, in order', async () => {
    const reader = await subscriber(a, 'reader', 't/#', 1);
    const writer = await cluster.client(b, 'writer');
    for (let id = 1; id <= 20; id += 1) writer.send(publish('t/1', 1, id));
    await until(() => of(writer, 'puback').length === 20);
    await until(() => of(reader, 'publish').length === 20);
    expect(texts(reader)).toEqual(Array.from({ length: 20 }, (_, n) => `t/1 ${n + 1}`));
  });

  test('finds at another broker what came while it was away', async () => {
    const reader = await subscriber(a, 'reader', 't/#', 2);
    reader.destroy();
    const writer = await cluster.client(b, 'writer');
    for (let id = 1; id <= 9; id += 1) writer.send(publish(`t/${id}`, 1, id));
    await until(() => of(writer, 'puback').length === 9);
    const back = await cluster.client(b, 'reader');
    await until(() => of(back, 'publish').length === 9);
    expect(texts(back).toSorted()).toEqual(
      Array.from({ length: 9 }, (_, n) => `t/${n + 1} ${n + 1}`),
    );
  });

  test('that has no room falls behind and catches up without a gap', async () => {
    const reader = await cluster.client(a, 'reader', { ...KEPT, receiveMaximum: 2 });
    reader.send(subscribe('t', 1));
    await until(() => of(reader, 'suback').length === 1);
    const writer = await cluster.client(b, 'writer');
    for (let id = 1; id <= 300; id += 1) writer.send(publish('t', 1, id));
    await until(() => of(writer, 'puback').length === 300);
    await until(() => of(reader, 'publish').length === 2);
    let answered = 0;
    const answer = (): void => {
      for (; answered < of(reader, 'publish').length; answered += 1) {
        const packet = of(reader, 'publish')[answered] as Publish;
        reader.send(acknowledgement('puback', packet.packetIdentifier));
      }
    };
    await until(() => {
      answer();
      return answered === 300;
    });
    expect(texts(reader)).toEqual(Array.from({ length: 300 }, (_, n) => `t ${n + 1}`));
  });

  test('is not sent an exactly-once message before its record has the exchange', async () => {
    const reader = await subscriber(a, 'reader', 't', 2);
    const hold = cluster.memory.faults.hold({ process: a.name, kinds: ['write'] });
    const writer = await cluster.client(b, 'writer');
    writer.send(publish('t', 2, 7));
    await until(() => of(writer, 'pubrec').length === 1);
    await until(() => hold.waiting > 0);
    expect(of(reader, 'publish')).toEqual([]);
    hold.release();
    await until(() => of(reader, 'publish').length === 1);
  });

  test('is ended when another broker has claimed its record', async () => {
    const reader = await subscriber(a, 'reader', 't', 2);
    const table = await cluster.memory.connect('thief').openTable('sessions-0');
    const other = await cluster.memory.connect('thief').openTable('sessions-1');
    for (const each of [table, other]) await each.claim('reader', Number.MAX_SAFE_INTEGER, 1000);
    const writer = await cluster.client(b, 'writer');
    writer.send(publish('t', 2, 7));
    await until(() => reader.closed);
    expect(of(reader, 'publish')).toEqual([]);
    expect(reader.packets.at(-1)).toMatchObject({ kind: 'disconnect', reasonCode: 0x8e });
  });
});

describe('an exactly-once message whose broker dies', () => {
  for (const lost of ['message', 'receipt', 'neither', 'answer'] as const) {
    test(`is taken once when the ${lost} was lost`, async () => {
      const reader = await subscriber(b, 'reader', 't', 2);
      const writer = await cluster.client(a, 'writer');
      const { faults } = cluster.memory;
      const kinds = lost === 'message' ? (['append'] as const) : (['write'] as const);
      const hold =
        lost === 'message' || lost === 'receipt' ? faults.hold({ process: a.name, kinds }) : null;
      writer.send(publish('t', 2, 7));
      if (hold !== null) await until(() => hold.waiting > 0);
      if (lost === 'receipt') await until(() => of(reader, 'publish').length === 1);
      if (lost === 'neither' || lost === 'answer') {
        await until(() => of(writer, 'pubrec').length === 1);
      }
      await cluster.crash(a);
      hold?.drop();
      const again = await cluster.client(b, 'writer');
      if (lost === 'answer') again.send(acknowledgement('pubrel', 7));
      else {
        again.send(publish('t', 2, 7, true));
        again.send(publish('t', 2, 8));
        await until(() => of(again, 'pubrec').length === 2);
        again.send(acknowledgement('pubrel', 7));
      }
      await until(() => of(again, 'pubcomp').length === 1);
      // The identifier stands for another message now.
      again.send(publish('t', 2, 7));
      const total = lost === 'answer' ? 2 : 3;
      await until(() => of(reader, 'publish').length >= total);
      const expected = lost === 'answer' ? ['t 7', 't 7'] : ['t 7', 't 8', 't 7'];
      expect(texts(reader)).toEqual(expected);
    });
  }
});

describe('an exactly-once message whose broker dies before it has written about the session', () => {
  test('is taken once, although the owner before had settled it', async () => {
    const reader = await subscriber(b, 'reader', 't', 2);
    await cluster.client(b, 'writer');
    const writer = await cluster.client(a, 'writer');
    const hold = cluster.memory.faults.hold({ process: a.name, kinds: ['write'] });
    writer.send(publish('t', 2, 7));
    await until(() => of(reader, 'publish').length === 1);
    await cluster.crash(a);
    hold.drop();
    const again = await cluster.client(b, 'writer');
    again.send(publish('t', 2, 7, true));
    again.send(publish('t', 2, 8));
    await until(() => of(again, 'pubrec').length === 2);
    await until(() => of(reader, 'publish').length >= 2);
    await turns(20);
    expect(texts(reader)).toEqual(['t 7', 't 8']);
  });
});

describe('a message that is published under a name', () => {
  test('is found by it on every broker once it is committed, and not by another name', async () => {
    const reader = await subscriber(b, 'reader', 't', 1);
    const from = a.path.sessions.placeOf('t');
    const publication = { name: 'will 3 c', topic: 't', from };
    expect(await b.path.sessions.isPublished(publication, 1000)).toBe(false);
    const committed = await a.path.sessions.publishAs('will 3 c', () => {
      const message = new Message(a.context.router.topicOf('t'));
      message.qos = 1;
      return publishMessage(a.context, message, null);
    });
    expect(committed).toBe(true);
    expect(await b.path.sessions.isPublished(publication, 1000)).toBe(true);
    const other = { ...publication, name: 'will 4 c' };
    expect(await b.path.sessions.isPublished(other, 1000)).toBe(false);
    await until(() => of(reader, 'publish').length === 1);
  });
});

describe('a message shard without a leader', () => {
  const shardOf = (topic: string): number =>
    a.context.router.topicOf(topic).hash % (a.context.log as ReplicatedLog).shards.count;
  /** Topics of that shard, and of the others. */
  const topics = Array.from({ length: 20 }, (_, number) => `t/${number}`);
  const stuckTopics = (): string[] => topics.filter((topic) => shardOf(topic) === 0);
  const freeTopics = (): string[] => topics.filter((topic) => shardOf(topic) !== 0);
  const holdShard = (): { release(): void } =>
    cluster.memory.faults.hold({ process: a.name, shard: 'mqtt-0', kinds: ['append'] });

  test('holds back those who publish to it, and nobody else', async () => {
    const reader = await subscriber(b, 'reader', 't/#', 2);
    const stuck = await cluster.client(a, 'stuck');
    const free = await cluster.client(a, 'free');
    const once = await cluster.client(a, 'once');
    const hold = holdShard();
    const [stuckTopic = ''] = stuckTopics();
    const [freeTopic = ''] = freeTopics();
    // Far more turns than batches may be under way in one shard.
    for (let id = 1; id <= 20; id += 1) {
      stuck.send(publish(stuckTopic, 1, id));
      free.send(publish(freeTopic, 1, id));
      once.send(publish(freeTopic, 2, id));
      await until(() => of(free, 'puback').length === id && of(once, 'pubrec').length === id);
      once.send(acknowledgement('pubrel', id));
      await until(() => of(once, 'pubcomp').length === id);
    }
    expect(of(stuck, 'puback')).toEqual([]);
    await until(() => of(reader, 'publish').length === 40);
    hold.release();
    await until(() => of(stuck, 'puback').length === 20);
    await until(() => of(reader, 'publish').length === 60);
  });

  test('does not let the acknowledgements of one client overtake each other', async () => {
    await subscriber(b, 'reader', 't/#', 2);
    const writer = await cluster.client(a, 'writer');
    const hold = holdShard();
    writer.send(publish(freeTopics()[0] as string, 1, 1));
    writer.send(publish(stuckTopics()[0] as string, 1, 2));
    writer.send(publish(freeTopics()[0] as string, 1, 3));
    await until(() => of(writer, 'puback').length === 1);
    await turns(20);
    expect(of(writer, 'puback')).toMatchObject([{ packetIdentifier: 1 }]);
    hold.release();
    await until(() => of(writer, 'puback').length === 3);
    expect(of(writer, 'puback')).toMatchObject(
      [1, 2, 3].map((packetIdentifier) => ({ packetIdentifier })),
    );
  });

  test('lets other sessions be subscribed, moved and received from', async () => {
    const stuck = await cluster.client(a, 'stuck');
    await subscriber(b, 'reader', 't/#', 2);
    holdShard();
    for (let id = 1; id <= 8; id += 1) {
      stuck.send(publish(stuckTopics()[0] as string, 2, id));
      await turns(3);
    }
    const other = await subscriber(a, 'other', freeTopics()[0] as string, 2);
    other.send(publish(freeTopics()[0] as string, 2, 1));
    await until(() => of(other, 'publish').length === 1);
    other.send(acknowledgement('pubrec', (of(other, 'publish')[0] as Publish).packetIdentifier));
    await until(() => of(other, 'pubrel').length === 1);
    const moved = await cluster.client(b, 'other');
    expect(of(moved, 'connack')).toMatchObject([{ sessionPresent: true }]);
    expect(of(stuck, 'pubrec')).toEqual([]);
  });
});

describe('a retained message in a cluster', () => {
  function retained(topic: string, id: number, text: string): Publish {
    return { ...publish(topic, 1, id), retain: true, payload: new TextEncoder().encode(text) };
  }

  test('is there for every SUBSCRIBE after its acknowledgement, wherever', async () => {
    const writer = await cluster.client(a, 'writer');
    const hold = cluster.memory.faults.hold({ process: b.name, kinds: ['tail'] });
    writer.send(retained('r/1', 1, 'old'));
    writer.send(retained('r/1', 2, 'new'));
    writer.send(retained('r/2', 3, 'gone'));
    writer.send(retained('r/2', 4, ''));
    await until(() => of(writer, 'puback').length === 4);
    const reader = await cluster.client(b, 'reader', {});
    reader.send(subscribe('r/#', 0));
    await turns(20);
    expect(of(reader, 'suback')).toEqual([]);
    hold.release();
    await until(() => of(reader, 'publish').length === 1);
    expect([texts(reader), of(reader, 'suback').length]).toEqual([['new'], 1]);
    expect(of(reader, 'publish')[0]).toMatchObject({ retain: true, topic: 'r/1' });
  });

  test('is repeated to a durable session like any other, after a crash too', async () => {
    const writer = await cluster.client(a, 'writer');
    writer.send({ ...retained('r', 1, 'kept'), qos: 2 });
    await until(() => of(writer, 'pubrec').length === 1);
    const reader = await subscriber(a, 'reader', 'r', 2);
    await until(() => of(reader, 'publish').length === 1);
    await cluster.crash(a);
    const again = await cluster.client(b, 'reader');
    await until(() => of(again, 'publish').length === 1);
    const [first] = of(reader, 'publish');
    expect(of(again, 'publish')).toEqual([{ ...first, dup: true }]);
  });

  test('survives that no broker does', async () => {
    const writer = await cluster.client(a, 'writer');
    writer.send(retained('r', 1, 'kept'));
    await until(() => of(writer, 'puback').length === 1);
    for (const node of [a, b]) await cluster.crash(node);
    const c = await cluster.start('c', 3);
    expect(c.context.retained.count).toBe(1);
  });
});

describe('a shared subscription in a cluster', () => {
  test('gives what a durable member had open to another one when it goes', async () => {
    const one = await subscriber(a, 'one', '$share/g/t', 1);
    const writer = await cluster.client(a, 'writer');
    for (let id = 1; id <= 4; id += 1) writer.send(publish('t', 1, id));
    await until(() => of(one, 'publish').length === 4);
    one.send(acknowledgement('puback', (of(one, 'publish')[0] as Publish).packetIdentifier));
    const two = await subscriber(a, 'two', '$share/g/t', 1);
    one.destroy();
    await until(() => of(two, 'publish').length === 3);
    expect(texts(two).toSorted()).toEqual(['t 2', 't 3', 't 4']);
  });
});

describe('what no session needs any more', () => {
  test('is forgotten, and what one needs that is away or has it open is not', async () => {
    const reader = await subscriber(a, 'reader', 't', 1);
    const away = await subscriber(a, 'away', 'away', 1);
    away.destroy();
    const writer = await cluster.client(b, 'writer');
    for (let id = 1; id <= 5; id += 1) writer.send(publish('t', 1, id));
    for (let id = 6; id <= 9; id += 1) writer.send(publish('away', 1, id));
    await until(() => of(writer, 'puback').length === 9 && of(reader, 'publish').length === 5);
    const shard = (topic: string): number =>
      a.context.router.topicOf(topic).hash % (a.context.log as ReplicatedLog).shards.count;
    const journal = cluster.memory.connect('test');
    const ends = async (topic: string) => {
      const opened = await journal.openShard(`mqtt-${shard(topic)}`);
      return opened.committed(1000);
    };
    // The exchanges of the reader are open, and nobody has read for the other.
    for (const node of [a, b]) await settled(node);
    let needed = (await b.path.trimOnce(1000)) as number[];
    expect(needed[shard('t')]).toBe(0);
    expect(needed[shard('away')]).toBeLessThan(await ends('away'));
    for (const packet of of(reader, 'publish') as Publish[]) {
      reader.send(acknowledgement('puback', packet.packetIdentifier));
    }
    const back = await cluster.client(b, 'away');
    await until(() => of(back, 'publish').length === 4);
    for (const packet of of(back, 'publish') as Publish[]) {
      back.send(acknowledgement('puback', packet.packetIdentifier));
    }
    for (const node of [a, b]) await settled(node);
    needed = (await b.path.trimOnce(1000)) as number[];
    expect(needed[shard('t')]).toBe(await ends('t'));
    expect(needed[shard('away')]).toBe(await ends('away'));
  });
});

/** Every record of a session at `node` is as the session is. */
async function settled(node: Node): Promise<void> {
  const log = node.context.log as ReplicatedLog;
  for (const session of node.context.sessions.all()) log.saveWith(session);
  await log.settle();
}
