import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type AccessFiles, AccessWorld, bytes, take } from './access-world.fixture.ts';

const NOT_AUTHORIZED = 0x87;
const BAD_USER_NAME_OR_PASSWORD = 0x86;
const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
/** A session that stays. */
const KEPT = { sessionExpiryIntervalSeconds: 3600 };
const DENY_SECRETS = 'deny subscribe user bob secret/#\nallow all #\n';

const running: AccessWorld[] = [];
afterEach(async () => {
  for (const world of running.splice(0)) await world.stop();
});

async function start(files: AccessFiles): Promise<AccessWorld> {
  const world = await AccessWorld.start(files);
  running.push(world);
  return world;
}

describe('who may connect', () => {
  const users = ['alice'];
  const closed = 'allow_anonymous_loopback = false';
  const nothing = { password: null };
  const wrong = { password: bytes('wrong') };
  const rows = [
    [{ users }, 'alice', {}, 0, 'a user with the right password'],
    [{ users }, 'alice', wrong, BAD_USER_NAME_OR_PASSWORD, 'a wrong password'],
    [{ users }, 'alice', nothing, BAD_USER_NAME_OR_PASSWORD, 'a user name without a password'],
    [{ users }, 'carol', {}, BAD_USER_NAME_OR_PASSWORD, 'a user the file does not have'],
    [{ users }, '', {}, BAD_USER_NAME_OR_PASSWORD, 'an empty user name is a user name'],
    [{ users }, null, {}, 0, 'no user name, on loopback, by default'],
    [{ users, auth: closed }, null, {}, NOT_AUTHORIZED, 'no user name where that is forbidden'],
    [{ users, auth: closed }, 'alice', {}, 0, 'a user, where others must not connect'],
    [{ auth: closed }, null, {}, NOT_AUTHORIZED, 'nobody at all: no file and no leave'],
    [{}, 'alice', {}, 0, 'any name, where nobody asks for a password'],
  ] as const;
  for (const [files, username, options, expected, why] of rows) {
    test(why, async () => {
      const world = await start(files);
      expect(await world.refusalOf(username, options)).toBe(expected);
    });
  }

  test('a name that nobody verified gives no rights', async () => {
    const world = await start({
      rules: 'allow all user alice #',
      auth: 'default_verdict = "deny"',
    });
    const pretender = await world.as('alice');
    expect(await pretender.subscribe([{ filter: 'a' }])).toEqual([NOT_AUTHORIZED]);
  });

  test('a 3.1.1 client is told by return codes 4 and 5', async () => {
    const world = await start({ users, auth: closed });
    expect(await world.refusalOf('alice', { version: 4, ...wrong })).toBe(4);
    expect(await world.refusalOf(null, { version: 4 })).toBe(5);
  });

  test('another user does not get the session behind a client identifier', async () => {
    const world = await start({ users: ['alice', 'bob'] });
    const owner = await world.as('alice', { clientId: 'c', properties: KEPT });
    expect(await world.refusalOf('bob', { clientId: 'c' })).toBe(CLIENT_IDENTIFIER_NOT_VALID);
    await owner.disconnect();
    expect(await world.refusalOf('bob', { clientId: 'c' })).toBe(CLIENT_IDENTIFIER_NOT_VALID);
    expect(await world.refusalOf(null, { clientId: 'c' })).toBe(CLIENT_IDENTIFIER_NOT_VALID);
    const back = await world.as('alice', { clientId: 'c', cleanStart: false });
    expect(back.connack.sessionPresent).toBe(true);
  });
});

describe('who may publish', () => {
  const rules = 'deny publish user bob secret/#\nallow all #\n';

  test('each QoS is answered with 0x87, and nobody gets the message', async () => {
    const world = await start({ users: ['alice', 'bob'], rules });
    const alice = await world.as('alice');
    const bob = await world.as('bob');
    await alice.subscribe([{ filter: '#' }]);
    await bob.publish({ topic: 'secret/0', payload: bytes('0'), retain: true });
    expect(await refusedPublish(bob, 1)).toBe(NOT_AUTHORIZED);
    expect(await refusedPublish(bob, 2)).toBe(NOT_AUTHORIZED);
    await bob.publish({ topic: 'open', payload: bytes('1') });
    expect(await take(alice, 1)).toEqual(['open 1']);
  });

  test('a 3.1.1 client, which cannot be told, gets its acknowledgement, and nobody the message (MQTT-3.1.1 [MQTT-3.3.5-2])', async () => {
    const world = await start({ users: ['alice', 'bob'], rules });
    const alice = await world.as('alice');
    const bob = await world.as('bob', { version: 4 });
    await alice.subscribe([{ filter: '#' }]);
    for (const qos of [0, 1, 2] as const) {
      await bob.publish({ topic: 'secret/0', payload: bytes('0'), qos, retain: true });
    }
    await bob.publish({ topic: 'open', payload: bytes('1') });
    expect(await take(alice, 1)).toEqual(['open 1']);
  });

  test('an alias that is moved to a denied topic does not carry its rights along', async () => {
    const world = await start({ users: ['alice', 'bob'], rules });
    const alice = await world.as('alice');
    const bob = await world.as('bob');
    await alice.subscribe([{ filter: '#' }]);
    const properties = { topicAlias: 1 };
    const publish = (topic: string, text: string): Promise<number> =>
      bob.publish({ topic, payload: bytes(text), properties });
    await publish('open', 'set');
    await publish('', 'by alias');
    await publish('secret/a', 'moved');
    await publish('', 'by moved alias');
    await publish('open', 'moved back');
    expect(await take(alice, 3)).toEqual(['open set', 'open by alias', 'open moved back']);
  });

  test('a will on a denied topic refuses the connection', async () => {
    const world = await start({ users: ['bob'], rules });
    expect(await world.refusalOf('bob', { will: willOn('secret/will') })).toBe(NOT_AUTHORIZED);
    expect(await world.refusalOf('bob', { will: willOn('open') })).toBe(0);
  });

  test('a will that the rules of its time forbid is not published', async () => {
    const world = await start({ users: ['alice', 'bob'], rules: 'allow all #' });
    const alice = await world.as('alice');
    await alice.subscribe([{ filter: '#' }]);
    const bob = await world.as('bob', { will: willOn('secret/will') });
    const other = await world.as('bob', { will: willOn('open') });
    world.writeRules(rules);
    await world.broker.reload();
    bob.connection.send({ kind: 'disconnect', reasonCode: 0x04, properties: {} });
    await bob.closed;
    other.connection.send({ kind: 'disconnect', reasonCode: 0x04, properties: {} });
    expect(await take(alice, 1)).toEqual(['open gone']);
  });
});

describe('who may receive', () => {
  test('a subscription around a denial gets everything but what is denied', async () => {
    const world = await start({ users: ['alice', 'bob'], rules: DENY_SECRETS });
    const bob = await world.as('bob');
    expect(await bob.subscribe([{ filter: '#' }, { filter: 'secret/a' }])).toEqual([
      0,
      NOT_AUTHORIZED,
    ]);
    const alice = await world.as('alice');
    for (const topic of ['secret/a', 'open', 'secret', 'open/b']) {
      await alice.publish({ topic, payload: bytes('x') });
    }
    expect(await take(bob, 2)).toEqual(['open x', 'open/b x']);
  });

  for (const qos of [0, 1] as const) {
    test(`retained messages at QoS ${qos} are judged one by one`, async () => {
      const world = await start({ users: ['alice', 'bob'], rules: DENY_SECRETS });
      const alice = await world.as('alice');
      for (const topic of ['a', 'secret/a', 'secret/b', 'z']) {
        await alice.publish({ topic, payload: bytes('kept'), qos: 1, retain: true });
      }
      const bob = await world.as('bob', { properties: qos === 0 ? {} : KEPT });
      await bob.subscribe([{ filter: '#', qos }]);
      const retained = await take(bob, 2);
      expect([...retained].sort()).toEqual(['a kept', 'z kept']);
      await alice.publish({ topic: 'end', payload: bytes('x') });
      expect(await take(bob, 1)).toEqual(['end x']);
    });
  }

  test('what waits for an absent client is judged when it is delivered', async () => {
    const world = await start({ users: ['alice', 'bob'], rules: 'allow all #' });
    const bob = await world.as('bob', { clientId: 'bob', properties: KEPT });
    await bob.subscribe([{ filter: '#', qos: 1 }]);
    await bob.disconnect();
    const alice = await world.as('alice');
    for (const topic of ['secret/a', 'open', 'secret/b']) {
      await alice.publish({ topic, payload: bytes('queued'), qos: 1 });
    }
    world.writeRules(DENY_SECRETS);
    await world.broker.reload();
    const back = await world.as('bob', { clientId: 'bob', cleanStart: false, properties: KEPT });
    expect(await take(back, 1)).toEqual(['open queued']);
    await alice.publish({ topic: 'end', payload: bytes('x'), qos: 1 });
    expect(await take(back, 1)).toEqual(['end x']);
  });

  for (const qos of [0, 1] as const) {
    test(`a shared subscription at QoS ${qos} delivers nothing that is denied`, async () => {
      const world = await start({ users: ['alice', 'bob'], rules: DENY_SECRETS });
      const bob = await world.as('bob');
      expect(await bob.subscribe([{ filter: '$share/g/secret/+', qos }])).toEqual([NOT_AUTHORIZED]);
      expect(await bob.subscribe([{ filter: '$share/g/#', qos }])).toEqual([qos]);
      const alice = await world.as('alice');
      for (const topic of ['a', 'secret/a', 'b', 'secret/b', 'end']) {
        await alice.publish({ topic, payload: bytes('x'), qos });
      }
      expect(await take(bob, 3)).toEqual(['a x', 'b x', 'end x']);
    });
  }

  for (const kind of ['ephemeral', 'durable'] as const) {
    for (const qos of [0, 1, 2] as const) {
      test(`a shared group of ${kind} members gives at QoS ${qos} what one may not have to another`, async () => {
        const world = await start({ users: ['alice', 'bob', 'carol'], rules: DENY_SECRETS });
        const properties = kind === 'durable' ? KEPT : {};
        const bob = await world.as('bob', { properties });
        const carol = await world.as('carol', { properties });
        for (const member of [bob, carol]) await member.subscribe([{ filter: '$share/g/#', qos }]);
        const alice = await world.as('alice');
        for (const topic of ['secret/a', 'secret/b', 'secret/c', 'secret/d', 'a', 'b']) {
          await alice.publish({ topic, payload: bytes('x'), qos });
        }
        const seen = await take(carol, 5);
        const [one] = await take(bob, 1);
        expect([...seen, String(one)].sort()).toEqual(
          ['a x', 'b x', 'secret/a x', 'secret/b x', 'secret/c x', 'secret/d x'].sort(),
        );
      });
    }
  }

  test('a shared group keeps for an absent member what only that one may have, and goes on', async () => {
    const world = await start({ users: ['alice', 'bob', 'carol'], rules: DENY_SECRETS });
    const carol = await world.as('carol', { clientId: 'carol', properties: KEPT });
    await carol.subscribe([{ filter: '$share/g/#', qos: 1 }]);
    await carol.disconnect();
    const bob = await world.as('bob', { properties: KEPT });
    await bob.subscribe([{ filter: '$share/g/#', qos: 1 }]);
    const alice = await world.as('alice');
    for (const topic of ['secret/a', 'a', 'secret/b', 'b']) {
      await alice.publish({ topic, payload: bytes('x'), qos: 1 });
    }
    expect(await take(bob, 2)).toEqual(['a x', 'b x']);
    const back = await world.as('carol', {
      clientId: 'carol',
      cleanStart: false,
      properties: KEPT,
    });
    expect(await take(back, 2)).toEqual(['secret/a x', 'secret/b x']);
  });

  test('29: a client identifier is no regular expression', async () => {
    const rules = 'allow subscribe devices/%c/#\nallow publish #';
    const world = await start({ rules, auth: 'default_verdict = "deny"' });
    for (const clientId of ['.*', 'd.', '[a-z0-9]*', '(d1|d2)']) {
      const client = await world.as(null, { clientId });
      expect(await client.subscribe([{ filter: 'devices/d1/x' }])).toEqual([NOT_AUTHORIZED]);
      expect(await client.subscribe([{ filter: `devices/${clientId}/x` }])).toEqual([0]);
    }
  });

  test('a client identifier with a wildcard never fills a placeholder', async () => {
    const rules = 'allow subscribe devices/%c/#\nallow publish #';
    const world = await start({ rules, auth: 'default_verdict = "deny"' });
    const plain = await world.as(null, { clientId: 'd1' });
    expect(await plain.subscribe([{ filter: 'devices/d1/x' }])).toEqual([0]);
    expect(await plain.subscribe([{ filter: 'devices/d2/x' }])).toEqual([NOT_AUTHORIZED]);
    for (const clientId of ['+', '#', '+/x', 'd1/#']) {
      const greedy = await world.as(null, { clientId });
      const filters = ['devices/d1/x', 'devices/+/x', 'devices/#', `devices/${clientId}`];
      for (const filter of filters.slice(0, 3)) {
        expect(await greedy.subscribe([{ filter }])).toEqual([NOT_AUTHORIZED]);
      }
    }
  });
});

test('config/rules.example gives each device its own corner', async () => {
  const example = new URL('../../../config/rules.example', import.meta.url);
  const world = await start({ users: ['pump'], rules: readFileSync(example, 'utf8') });
  const pump = await world.as('pump');
  const filters = ['devices/pump/commands/#', 'devices/#', 'public/a', '#', '$SYS/#'];
  expect(await pump.subscribe(filters.map((filter) => ({ filter })))).toEqual([
    0,
    0,
    0,
    0,
    NOT_AUTHORIZED,
  ]);
  await expect(publishAt(pump, 'devices/lamp/state')).rejects.toThrow('0x87');
  expect(await publishAt(pump, 'devices/pump/state')).toBe(0);
});

describe("Mosquitto's files", () => {
  const acl = [
    '# clients without a user name',
    'topic read public/#',
    'user alice',
    'topic readwrite rooms/#',
    'topic deny rooms/attic',
    'pattern write devices/%u/state',
  ].join('\n');

  test('hold as they are: what is not granted is denied', async () => {
    const world = await start({ users: ['alice', 'bob'], rules: acl });
    const alice = await world.as('alice');
    const nobody = await world.as(null);
    expect(await alice.subscribe([{ filter: 'rooms/#', qos: 1 }])).toEqual([1]);
    expect(await nobody.subscribe([{ filter: 'public/#' }, { filter: 'rooms/#' }])).toEqual([
      0,
      NOT_AUTHORIZED,
    ]);
    await expect(publishAt(alice, 'rooms/attic')).rejects.toThrow('0x87');
    await expect(publishAt(nobody, 'public/a')).rejects.toThrow('0x87');
    await expect(publishAt(alice, 'devices/bob/state')).rejects.toThrow('0x87');
    await publishAt(alice, 'devices/alice/state');
    await publishAt(alice, 'rooms/hall');
    expect(await take(alice, 1)).toEqual(['rooms/hall x']);
  });
});

describe('reading the files again', () => {
  test('stops deliveries and publishing of live sessions at once, and starts them again', async () => {
    const world = await start({ users: ['alice', 'bob'], rules: 'allow all #' });
    const bob = await world.as('bob');
    const alice = await world.as('alice');
    await bob.subscribe([{ filter: 'secret/a' }, { filter: 'end' }]);
    await alice.subscribe([{ filter: 'end' }]);
    await publishAt(bob, 'secret/a');
    world.writeRules(`deny publish user bob secret/#\n${DENY_SECRETS}`);
    expect(await world.broker.reload()).toEqual([
      expect.stringMatching(/password file .*users: 2/),
      expect.stringMatching(/rules file .*rules: 3/),
    ]);
    await expect(publishAt(bob, 'secret/a')).rejects.toThrow('0x87');
    await publishAt(alice, 'secret/a');
    world.writeRules('allow all #');
    await world.broker.reload();
    await publishAt(bob, 'end');
    expect(await take(bob, 2)).toEqual(['secret/a x', 'end x']);
  });

  test('disconnects users who are gone or have another password, and nobody else', async () => {
    const world = await start({ users: ['alice', 'bob', 'carol'] });
    const [alice, bob, carol, nobody] = [
      await world.as('alice'),
      await world.as('bob'),
      await world.as('carol'),
      await world.as(null),
    ];
    world.writeUsers(['alice', 'carol'], (name) => (name === 'carol' ? 'new' : `${name}-password`));
    const lines = await world.broker.reload();
    expect(lines.at(-1)).toBe('connections of changed users closed: 2');
    expect(await bob.closed).toMatchObject({ kind: 'disconnected', reasonCode: NOT_AUTHORIZED });
    expect(await carol.closed).toMatchObject({ kind: 'disconnected', reasonCode: NOT_AUTHORIZED });
    expect(await publishAt(alice, 'a')).toBe(0x10);
    expect(await publishAt(nobody, 'a')).toBe(0x10);
    expect(await world.refusalOf('bob')).toBe(BAD_USER_NAME_OR_PASSWORD);
    expect(await world.refusalOf('carol')).toBe(BAD_USER_NAME_OR_PASSWORD);
    expect(await world.refusalOf('carol', { password: bytes('new') })).toBe(0);
  });

  test('leaves everything as it was when a file is wrong, and says where', async () => {
    const world = await start({ users: ['alice'], rules: DENY_SECRETS });
    const alice = await world.as('alice');
    world.writeRules('allow all #\nallow everything');
    expect((await world.broker.reload())[1]).toMatch(/rules:2: expected .*; the old rules stay$/);
    expect(await world.refusalOf('alice')).toBe(0);
    expect(await publishAt(alice, 'a')).toBe(0x10);
  });
});

describe('a start', () => {
  test('ends with the line of a rule that is not understood', async () => {
    await expect(start({ rules: 'allow all #\nperhaps all #' })).rejects.toThrow(
      /rules:2: expected/,
    );
  });
});

type Client = Awaited<ReturnType<AccessWorld['as']>>;

async function publishAt(client: Client, topic: string): Promise<number> {
  return client.publish({ topic, payload: bytes('x'), qos: 1 });
}

async function refusedPublish(client: Client, qos: 1 | 2): Promise<number> {
  try {
    return await client.publish({ topic: `secret/${qos}`, payload: bytes('x'), qos });
  } catch (error) {
    return (error as { readonly fault: { readonly reasonCode: number } }).fault.reasonCode;
  }
}

function willOn(topic: string): {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0;
  readonly retain: false;
  readonly properties: object;
} {
  return { topic, payload: bytes('gone'), qos: 0, retain: false, properties: {} };
}
