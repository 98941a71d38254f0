import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { encodePacket } from './encode-packet.ts';
import {
  NOT_GENERATED,
  ORDER_LOST,
  WRONGLY_ACCEPTED,
  WRONGLY_REFUSED,
} from './mqtt-packet-deviations.fixture.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { decoded, packet } from './packet-bytes.fixture.ts';
import type { Properties } from './properties.ts';
import { randomPacket } from './random-packet.fixture.ts';
import { RandomSource } from './random-source.fixture.ts';

type Fields = Record<string, unknown>;

/** What the second opinion makes of bytes: a packet, or null when it reports an error. */
function secondOpinion(bytes: Uint8Array, version: ProtocolVersion): Fields | null {
  const parser = mqttPacket.parser({ protocolVersion: version });
  let found: Fields | null = null;
  let failed = false;
  parser.on('packet', (each: object) => (found = { ...each }));
  parser.on('error', () => (failed = true));
  parser.parse(Buffer.from(bytes));
  return failed ? null : found;
}

const THEIR_NAMES: Readonly<Record<string, string>> = {
  messageExpiryIntervalSeconds: 'messageExpiryInterval',
  sessionExpiryIntervalSeconds: 'sessionExpiryInterval',
  serverKeepAliveSeconds: 'serverKeepAlive',
  willDelayIntervalSeconds: 'willDelayInterval',
  maximumPacketSizeBytes: 'maximumPacketSize',
  maximumQos: 'maximumQoS',
  subscriptionIdentifiers: 'subscriptionIdentifier',
};

/** Our properties in its words; user properties by name, because it loses their order. */
function inTheirWords(ours: Properties): Fields {
  const entries = Object.entries(ours).map(([name, value]) => {
    const list = Array.isArray(value) && value.length === 1 && name !== 'userProperties';
    return [THEIR_NAMES[name] ?? name, list ? value[0] : value];
  });
  const theirs: Fields = Object.fromEntries(entries);
  if (ours.userProperties !== undefined) {
    theirs['userProperties'] = Object.fromEntries(
      [...Map.groupBy(ours.userProperties, ([name]) => name)].map(([name, pairs]) => [
        name,
        pairs.length === 1 ? pairs[0]?.[1] : pairs.map(([, value]) => value),
      ]),
    );
  }
  return plain(theirs);
}

/** Numbers for booleans and lists for bytes, so that both sides compare. */
function plain(value: Fields): Fields {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainValue(each)]));
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof Uint8Array) return [...value];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return plain(value as Fields);
}

/** The fields of ours that it must have found, in its words. */
function expectedFields(ours: Packet, version: ProtocolVersion): Fields {
  switch (ours.kind) {
    case 'connect': {
      const { will, username, password } = ours;
      return {
        clientId: ours.clientId,
        clean: ours.cleanStart,
        keepalive: ours.keepAliveSeconds,
        ...(username !== null && { username }),
        ...(password !== null && { password }),
        ...(will !== null && {
          will: { topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain },
        }),
      };
    }
    case 'connack':
      return {
        sessionPresent: ours.sessionPresent,
        [version === 5 ? 'reasonCode' : 'returnCode']: ours.reasonCode,
      };
    case 'publish': {
      const { topic, payload, qos, dup, retain, packetIdentifier } = ours;
      const messageId = qos === 0 ? {} : { messageId: packetIdentifier };
      return { topic, payload, qos, dup, retain, ...messageId };
    }
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return {
        messageId: ours.packetIdentifier,
        ...(version === 5 && { reasonCode: ours.reasonCode }),
      };
    case 'subscribe':
      return {
        messageId: ours.packetIdentifier,
        subscriptions: ours.subscriptions.map(({ filter, qos, ...options }) => ({
          topic: filter,
          qos,
          ...(version === 5 && {
            nl: options.noLocal,
            rap: options.retainAsPublished,
            rh: options.retainHandling,
          }),
        })),
      };
    case 'unsubscribe':
      return { messageId: ours.packetIdentifier, unsubscriptions: ours.filters };
    case 'suback':
      return { messageId: ours.packetIdentifier, granted: ours.reasonCodes };
    case 'unsuback':
      return {
        messageId: ours.packetIdentifier,
        ...(version === 5 && { granted: ours.reasonCodes }),
      };
    case 'disconnect':
    case 'auth':
      return version === 5 ? { reasonCode: ours.reasonCode } : {};
    default:
      return {};
  }
}

/** What stands in WRONGLY_REFUSED, and names or values it drops when they are empty (its PR 161). */
function isBeyondIt(ours: Packet): boolean {
  if (ours.kind === 'auth' && ours.reasonCode === 0) return true;
  if (ours.kind === 'disconnect' && ours.reasonCode === 0x8c) return true;
  const lists = 'properties' in ours ? [ours.properties] : [];
  if (ours.kind === 'connect' && ours.will !== null) lists.push(ours.will.properties);
  return lists.some((each) => each.userProperties?.some((pair) => pair.includes('')) === true);
}

/** What it writes for a packet, or null for what stands in NOT_GENERATED. */
function generated(theirs: Fields, version: ProtocolVersion): Uint8Array | null {
  try {
    return mqttPacket.generate(theirs as never, { protocolVersion: version } as never);
  } catch (error) {
    if (NOT_GENERATED.some(([message]) => message.test(String(error)))) return null;
    throw error;
  }
}

for (const version of [3, 4, 5] as const) {
  test(`a second opinion reads what version ${version} of this codec writes`, () => {
    const property = fc.property(fc.integer(), (seed) => {
      const { packet: ours } = randomPacket(new RandomSource(seed), version);
      if (isBeyondIt(ours)) return;
      const theirs = secondOpinion(encodePacket(ours, version), version);
      expect(theirs).not.toBe(null);
      const found = plain(theirs ?? {});
      expect(found['cmd']).toBe(ours.kind);
      expect(found).toMatchObject(plain(expectedFields(ours, version)));
      if (version !== 5 || !('properties' in ours)) return;
      expect(found['properties'] ?? {}).toEqual(inTheirWords(ours.properties));
    });
    fc.assert(property, { numRuns: 1500 });
  });

  test(`this codec of version ${version} reads what a second opinion writes`, () => {
    const property = fc.property(fc.integer(), (seed) => {
      const { packet: ours, direction } = randomPacket(new RandomSource(seed), version);
      if (isBeyondIt(ours)) return;
      const theirs = secondOpinion(encodePacket(ours, version), version);
      const bytes = generated(theirs ?? {}, version);
      if (bytes === null) return;
      const again = decoded(bytes, version, direction);
      expect(withoutOrder(again as Packet)).toEqual(withoutOrder(ours));
    });
    fc.assert(property, { numRuns: 500 });
  });
}

/** The packet with its user properties sorted by name, since the second opinion regroups them. */
function withoutOrder(ours: Packet): unknown {
  const sorted = (list: Properties): Properties =>
    list.userProperties === undefined
      ? list
      : {
          ...list,
          userProperties: list.userProperties.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
        };
  if (!('properties' in ours)) return ours;
  const own = { ...ours, properties: sorted(ours.properties) };
  if (own.kind !== 'connect' || own.will === null) return own;
  return { ...own, will: { ...own.will, properties: sorted(own.will.properties) } };
}

describe('where the second opinion is wrong', () => {
  for (const [header, body, version, reasonCode, why] of WRONGLY_ACCEPTED) {
    test(`it accepts ${header} (${body}) of version ${version}: ${why}`, () => {
      const bytes = packet(header, body);
      expect(secondOpinion(bytes, version)).not.toBe(null);
      expect(decoded(bytes, version, 'fromClient')).toMatchObject({ reasonCode });
      expect(decoded(bytes, version, 'fromClient')).toHaveProperty('clause');
    });
  }

  for (const [header, body, version, why] of WRONGLY_REFUSED) {
    test(`it refuses ${header} (${body}) of version ${version}: ${why}`, () => {
      const bytes = packet(header, body);
      expect(secondOpinion(bytes, version)).toBe(null);
      expect(decoded(bytes, version, 'fromServer')).toHaveProperty('kind');
    });
  }

  test('it loses the order of user properties (MQTT-5.0 [MQTT-3.3.2-18])', () => {
    const bytes = packet(...ORDER_LOST);
    const theirs = secondOpinion(bytes, 5);
    expect(theirs?.['properties']).toEqual({ userProperties: { a: ['1', '3'], b: '2' } });
    expect(decoded(bytes, 5, 'fromClient')).toMatchObject({
      properties: {
        userProperties: [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
        ],
      },
    });
  });
});
