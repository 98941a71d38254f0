/**
 * The properties as data (MQTT-5.0 §2.2.2.2, table 2-4): identifier, name, type, and the packets each
 * is legal in. Everything that reads or writes properties reads this table.
 */
import type { Properties } from './properties.ts';

/** How a value lies in the packet; `boolean` is a byte of 0 or 1, `textPair` two strings. */
export type PropertyType =
  | 'bit'
  | 'boolean'
  | 'uint16'
  | 'uint32'
  | 'variableByteInteger'
  | 'text'
  | 'binary'
  | 'textPair';

/** Where properties stand: a packet, or the will inside CONNECT. */
export type PropertyOwner =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

/** One property of the standard's table. */
export interface PropertyRow {
  readonly identifier: number;
  readonly name: keyof Properties;
  /** The standard's name, for reasons. */
  readonly title: string;
  readonly type: PropertyType;
  /** Zero is a protocol error. */
  readonly zero: 'legal' | 'refused';
  readonly owners: readonly PropertyOwner[] | 'all';
  /** The section of MQTT-5.0 that defines the value, in its first owner. */
  readonly section: string;
}

/** The identifiers that code, and not only the table, must know. */
export const PropertyIdentifier = {
  payloadFormatIndicator: 0x01,
  messageExpiryInterval: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  authenticationMethod: 0x15,
  reasonString: 0x1f,
  topicAlias: 0x23,
  userProperty: 0x26,
} as const;

const MESSAGE: readonly PropertyOwner[] = ['publish', 'will'];
const CONNECTING: readonly PropertyOwner[] = ['connect', 'connack'];
const AUTHENTICATING: readonly PropertyOwner[] = ['connect', 'connack', 'auth'];
const ANSWERING: readonly PropertyOwner[] = [
  'connack',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'disconnect',
  'auth',
];

type Line = readonly [
  identifier: number,
  name: keyof Properties,
  title: string,
  type: PropertyType,
  zero: 'legal' | 'refused',
  owners: readonly PropertyOwner[] | 'all',
  section: string,
];

// biome-ignore format: one line a property, as in the standard's table.
const LINES: readonly Line[] = [
  [0x01, 'payloadFormatIndicator', 'Payload Format Indicator', 'bit', 'legal', MESSAGE, '§3.3.2.3.2'],
  [0x02, 'messageExpiryIntervalSeconds', 'Message Expiry Interval', 'uint32', 'legal', MESSAGE, '§3.3.2.3.3'],
  [0x03, 'contentType', 'Content Type', 'text', 'legal', MESSAGE, '§3.3.2.3.9'],
  [0x08, 'responseTopic', 'Response Topic', 'text', 'legal', MESSAGE, '§3.3.2.3.5'],
  [0x09, 'correlationData', 'Correlation Data', 'binary', 'legal', MESSAGE, '§3.3.2.3.6'],
  [0x0b, 'subscriptionIdentifiers', 'Subscription Identifier', 'variableByteInteger', 'refused', ['publish', 'subscribe'], '§3.8.2.1.2'],
  [0x11, 'sessionExpiryIntervalSeconds', 'Session Expiry Interval', 'uint32', 'legal', ['connect', 'connack', 'disconnect'], '§3.1.2.11.2'],
  [0x12, 'assignedClientIdentifier', 'Assigned Client Identifier', 'text', 'legal', ['connack'], '§3.2.2.3.7'],
  [0x13, 'serverKeepAliveSeconds', 'Server Keep Alive', 'uint16', 'legal', ['connack'], '§3.2.2.3.14'],
  [0x15, 'authenticationMethod', 'Authentication Method', 'text', 'legal', AUTHENTICATING, '§3.1.2.11.9'],
  [0x16, 'authenticationData', 'Authentication Data', 'binary', 'legal', AUTHENTICATING, '§3.1.2.11.10'],
  [0x17, 'requestProblemInformation', 'Request Problem Information', 'boolean', 'legal', ['connect'], '§3.1.2.11.7'],
  [0x18, 'willDelayIntervalSeconds', 'Will Delay Interval', 'uint32', 'legal', ['will'], '§3.1.3.2.2'],
  [0x19, 'requestResponseInformation', 'Request Response Information', 'boolean', 'legal', ['connect'], '§3.1.2.11.6'],
  [0x1a, 'responseInformation', 'Response Information', 'text', 'legal', ['connack'], '§3.2.2.3.15'],
  [0x1c, 'serverReference', 'Server Reference', 'text', 'legal', ['connack', 'disconnect'], '§3.2.2.3.16'],
  [0x1f, 'reasonString', 'Reason String', 'text', 'legal', ANSWERING, '§3.2.2.3.9'],
  [0x21, 'receiveMaximum', 'Receive Maximum', 'uint16', 'refused', CONNECTING, '§3.1.2.11.3'],
  [0x22, 'topicAliasMaximum', 'Topic Alias Maximum', 'uint16', 'legal', CONNECTING, '§3.1.2.11.5'],
  [0x23, 'topicAlias', 'Topic Alias', 'uint16', 'refused', ['publish'], '§3.3.2.3.4'],
  [0x24, 'maximumQos', 'Maximum QoS', 'bit', 'legal', ['connack'], '§3.2.2.3.4'],
  [0x25, 'retainAvailable', 'Retain Available', 'boolean', 'legal', ['connack'], '§3.2.2.3.5'],
  [0x26, 'userProperties', 'User Property', 'textPair', 'legal', 'all', '§3.1.2.11.8'],
  [0x27, 'maximumPacketSizeBytes', 'Maximum Packet Size', 'uint32', 'refused', CONNECTING, '§3.1.2.11.4'],
  [0x28, 'wildcardSubscriptionAvailable', 'Wildcard Subscription Available', 'boolean', 'legal', ['connack'], '§3.2.2.3.11'],
  [0x29, 'subscriptionIdentifiersAvailable', 'Subscription Identifier Available', 'boolean', 'legal', ['connack'], '§3.2.2.3.12'],
  [0x2a, 'sharedSubscriptionAvailable', 'Shared Subscription Available', 'boolean', 'legal', ['connack'], '§3.2.2.3.13'],
];

/** In ascending order of the identifiers, which is also the order of encoding. */
export const PROPERTY_TABLE: readonly PropertyRow[] = LINES.map(
  ([identifier, name, title, type, zero, owners, section]) => ({
    identifier,
    name,
    title,
    type,
    zero,
    owners,
    section,
  }),
);

const BY_IDENTIFIER: ReadonlyMap<number, PropertyRow> = new Map(
  PROPERTY_TABLE.map((row) => [row.identifier, row]),
);

/** The row of a property, or undefined for an identifier the standard does not define. */
export function propertyOf(identifier: number): PropertyRow | undefined {
  return BY_IDENTIFIER.get(identifier);
}

/** Whether the standard's table lists the property for the packet. */
export function isLegalIn(row: PropertyRow, owner: PropertyOwner): boolean {
  return row.owners === 'all' || row.owners.includes(owner);
}
