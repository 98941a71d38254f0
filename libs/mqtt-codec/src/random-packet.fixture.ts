/** Random packets that are legal in a version and a direction, for round trips. */
import { legalReasonCodes, mayAuthenticateWith, mayDisconnectWith } from './legal-reason-codes.ts';
import type { Packet, ProtocolVersion, Qos, SubscriptionRequest, Will } from './packet.ts';
import { NO_PROPERTIES, type Properties } from './properties.ts';
import {
  isLegalIn,
  PROPERTY_TABLE,
  type PropertyOwner,
  type PropertyRow,
} from './property-table.ts';
import type { RandomSource } from './random-source.fixture.ts';
import type { ReasonCode } from './reason-code.ts';

type Direction = 'fromClient' | 'fromServer';

/** A packet that one side of a connection may send, and that side. */
export interface Sent {
  readonly packet: Packet;
  readonly direction: Direction;
}

const KINDS: readonly Packet['kind'][] = [
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
];
const SERVER_ONLY: ReadonlySet<string> = new Set(['connack', 'suback', 'unsuback', 'pingresp']);
const CLIENT_ONLY: ReadonlySet<string> = new Set([
  'connect',
  'subscribe',
  'unsubscribe',
  'pingreq',
]);

/** The kinds of packet that exist in a version. */
export function kindsOf(version: ProtocolVersion): readonly Packet['kind'][] {
  return version === 5 ? KINDS : KINDS.filter((kind) => kind !== 'auth');
}

/** A random packet of the version. */
export function randomPacket(random: RandomSource, version: ProtocolVersion): Sent {
  const kind = random.pick(kindsOf(version));
  const direction = directionOf(random, kind, version);
  return { packet: packetOf(new Generator(random, version, direction), kind), direction };
}

function directionOf(
  random: RandomSource,
  kind: Packet['kind'],
  version: ProtocolVersion,
): Direction {
  if (SERVER_ONLY.has(kind)) return 'fromServer';
  if (CLIENT_ONLY.has(kind) || (kind === 'disconnect' && version !== 5)) return 'fromClient';
  return random.pick(['fromClient', 'fromServer'] as const);
}

class Generator {
  readonly random: RandomSource;
  readonly version: ProtocolVersion;
  readonly direction: Direction;

  constructor(random: RandomSource, version: ProtocolVersion, direction: Direction) {
    this.random = random;
    this.version = version;
    this.direction = direction;
  }

  identifier(): number {
    return 1 + this.random.below(65_535);
  }

  topic(): string {
    return `t${this.random.text(this.random.size(40))}`;
  }

  qos(): Qos {
    return this.random.pick([0, 1, 2] as const);
  }

  flag(): boolean {
    return this.random.oneIn(2);
  }

  code(kind: Parameters<typeof legalReasonCodes>[0]): ReasonCode {
    return this.random.pick(legalReasonCodes(kind)) as ReasonCode;
  }

  /** A random list, in one of eight cases a long one. */
  list<Item>(make: () => Item): Item[] {
    const length = 1 + (this.random.oneIn(8) ? this.random.below(40) : this.random.below(3));
    return Array.from({ length }, make);
  }

  properties(owner: PropertyOwner): Properties {
    if (this.version !== 5 || this.random.oneIn(3)) return NO_PROPERTIES;
    const draft: Record<string, unknown> = {};
    for (const row of PROPERTY_TABLE) {
      if (!isLegalIn(row, owner) || !this.random.oneIn(3)) continue;
      if (this.#isForOtherDirection(row, owner)) continue;
      draft[row.name] = this.#value(row, owner);
    }
    // MQTT-5.0 §3.1.2.11.10: no data without a method.
    if (draft['authenticationMethod'] === undefined) delete draft['authenticationData'];
    return Object.keys(draft).length === 0 ? NO_PROPERTIES : draft;
  }

  #isForOtherDirection(row: PropertyRow, owner: PropertyOwner): boolean {
    if (row.name === 'subscriptionIdentifiers') {
      return owner === 'publish' && this.direction === 'fromClient';
    }
    const isExpiry = row.name === 'sessionExpiryIntervalSeconds';
    return isExpiry && owner === 'disconnect' && this.direction === 'fromServer';
  }

  #value(row: PropertyRow, owner: PropertyOwner): unknown {
    const least = row.zero === 'refused' ? 1 : 0;
    switch (row.type) {
      case 'bit':
        return this.random.below(2);
      case 'boolean':
        return this.flag();
      case 'uint16':
        return least + this.random.below(65_536 - least);
      case 'uint32':
        return Math.max(least, this.random.uint32());
      case 'text':
        return row.name === 'responseTopic' ? this.topic() : this.random.text(this.random.size(30));
      case 'binary':
        return this.random.bytes(this.random.size(300));
      case 'variableByteInteger':
        return owner === 'subscribe' ? [this.#integer()] : this.list(() => this.#integer());
      case 'textPair':
        return this.list(() => [this.random.text(this.random.size(9)), this.random.text(3)]);
    }
  }

  #integer(): number {
    return 1 + ((this.random.uint32() >>> this.random.pick([4, 12, 20, 28])) % 268_435_455);
  }
}

function packetOf(make: Generator, kind: Packet['kind']): Packet {
  switch (kind) {
    case 'connect':
      return connectOf(make);
    case 'connack':
      return connackOf(make);
    case 'publish':
      return publishOf(make);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp': {
      const reasonCode = make.version === 5 ? make.code(kind) : 0;
      const packetIdentifier = make.identifier();
      return { kind, packetIdentifier, reasonCode, properties: make.properties(kind) };
    }
    case 'subscribe':
      return {
        kind,
        packetIdentifier: make.identifier(),
        subscriptions: make.list(() => subscriptionOf(make)),
        properties: make.properties(kind),
      };
    case 'suback':
      return {
        kind,
        packetIdentifier: make.identifier(),
        reasonCodes: make.list(() =>
          make.version === 5 ? make.code(kind) : make.random.pick([0, 1, 2, 0x80]),
        ),
        properties: make.properties(kind),
      };
    case 'unsubscribe':
      return {
        kind,
        packetIdentifier: make.identifier(),
        filters: make.list(() => make.topic()),
        properties: make.properties(kind),
      };
    case 'unsuback':
      return {
        kind,
        packetIdentifier: make.identifier(),
        reasonCodes: make.version === 5 ? make.list(() => make.code(kind)) : [],
        properties: make.properties(kind),
      };
    case 'pingreq':
    case 'pingresp':
      return { kind };
    case 'disconnect':
      return disconnectOf(make);
    case 'auth':
      return authOf(make);
  }
}

function connectOf(make: Generator): Packet {
  const { random, version } = make;
  const username = make.flag() ? random.text(random.size(30)) : null;
  // Before 5.0 a password needs a user name (MQTT-3.1.1 [MQTT-3.1.2-22]).
  const mayHavePassword = version === 5 || username !== null;
  return {
    kind: 'connect',
    version,
    cleanStart: make.flag(),
    keepAliveSeconds: random.below(65_536),
    clientId: random.text(random.size(40)),
    will: make.flag() ? willOf(make) : null,
    username,
    password: mayHavePassword && make.flag() ? random.bytes(random.size(60)) : null,
    properties: make.properties('connect'),
  };
}

function willOf(make: Generator): Will {
  return {
    topic: make.topic(),
    payload: make.random.bytes(make.random.size(200)),
    qos: make.qos(),
    retain: make.flag(),
    properties: make.properties('will'),
  };
}

function connackOf(make: Generator): Packet {
  const reasonCode = make.version === 5 ? make.code('connack') : make.random.below(6);
  const sessionPresent = reasonCode === 0 && make.version !== 3 && make.flag();
  return { kind: 'connack', sessionPresent, reasonCode, properties: make.properties('connack') };
}

function publishOf(make: Generator): Packet {
  const qos = make.qos();
  const properties = make.properties('publish');
  const mayOmitTopic = properties.topicAlias !== undefined;
  return {
    kind: 'publish',
    topic: mayOmitTopic && make.flag() ? '' : make.topic(),
    payload: make.random.bytes(make.random.size(make.random.oneIn(50) ? 20_000 : 200)),
    qos,
    retain: make.flag(),
    dup: qos !== 0 && make.flag(),
    packetIdentifier: qos === 0 ? 0 : make.identifier(),
    properties,
  };
}

function subscriptionOf(make: Generator): SubscriptionRequest {
  const isFive = make.version === 5;
  return {
    filter: make.random.pick(['#', '+/a', '$share/g/a', make.topic()]),
    qos: make.qos(),
    noLocal: false,
    retainAsPublished: isFive && make.flag(),
    retainHandling: isFive ? make.random.pick([0, 1, 2] as const) : 0,
  };
}

function disconnectOf(make: Generator): Packet {
  const { version, direction } = make;
  const code = version === 5 ? make.code('disconnect') : 0;
  const reasonCode = mayDisconnectWith(direction, code) ? code : 0;
  return { kind: 'disconnect', reasonCode, properties: make.properties('disconnect') };
}

function authOf(make: Generator): Packet {
  const code = make.code('auth');
  const reasonCode = mayAuthenticateWith(make.direction, code) ? code : 0x18;
  if (reasonCode === 0 && make.flag())
    return { kind: 'auth', reasonCode, properties: NO_PROPERTIES };
  const method = { authenticationMethod: make.random.text(make.random.size(20)) };
  return { kind: 'auth', reasonCode, properties: { ...make.properties('auth'), ...method } };
}
