/** From bytes to `Properties` (MQTT-5.0 §2.2.2), by the property table. */
import type { PacketReader } from './packet-reader.ts';
import { NO_PROPERTIES, type Properties } from './properties.ts';
import {
  isLegalIn,
  PropertyIdentifier,
  type PropertyOwner,
  propertyOf,
  type PropertyRow,
} from './property-table.ts';
import { ReasonCode } from './reason-code.ts';
import { hasWildcard } from './topic-name.ts';

/** Properties under construction. */
interface Draft extends Omit<Mutable, 'subscriptionIdentifiers'> {
  subscriptionIdentifiers?: number[];
}
type Mutable = { -readonly [Name in keyof Properties]: Properties[Name] };

/** The properties at the reader, or none before 5.0, which has none. */
export function readProperties(reader: PacketReader, owner: PropertyOwner): Properties {
  if (reader.version !== 5) return NO_PROPERTIES;
  const length = reader.variableByteInteger('the property length');
  if (length > reader.remaining) {
    const reason = `the property length is ${length}, ${reader.remaining} bytes are left`;
    reader.malformed(reason, ['§2.2.2.1', '']);
  }
  if (length === 0 || reader.fault !== null) return NO_PROPERTIES;

  const draft: Draft = {};
  const userProperties: (readonly [string, string])[] = [];
  const outerEnd = reader.enter(length);
  while (reader.remaining > 0) readProperty(reader, owner, draft, userProperties);
  reader.leave(outerEnd);
  if (userProperties.length > 0) draft.userProperties = userProperties;
  checkTogether(reader, draft);
  return draft;
}

function readProperty(
  reader: PacketReader,
  owner: PropertyOwner,
  draft: Draft,
  userProperties: (readonly [string, string])[],
): void {
  const identifier = reader.byte('a property identifier');
  const row = propertyOf(identifier);
  if (row === undefined || !isLegalIn(row, owner)) {
    const hex = identifier.toString(16).padStart(2, '0');
    const reason = `property 0x${hex} (${row?.title ?? 'undefined'}) is not legal in ${owner}`;
    return reader.malformed(reason, ['§2.2.2.2', '']);
  }
  if (row.type === 'textPair') return readUserProperty(reader, userProperties);
  if (row.name === 'subscriptionIdentifiers') {
    return readSubscriptionIdentifier(reader, owner, draft);
  }
  if (draft[row.name] !== undefined) {
    return reader.protocolError(`${row.title} appears twice`, [row.section, '']);
  }
  const value = readValue(reader, row);
  if (reader.fault === null) checkValue(reader, row, value);
  // The table pairs each name with the type of its value; this line is where that is trusted.
  (draft as Record<string, unknown>)[row.name] = row.type === 'boolean' ? value === 1 : value;
}

function readValue(reader: PacketReader, row: PropertyRow): number | string | Uint8Array {
  switch (row.type) {
    case 'bit':
    case 'boolean':
      return reader.byte(row.title);
    case 'uint16':
      return reader.uint16(row.title);
    case 'uint32':
      return reader.uint32(row.title);
    case 'text':
      return reader.text(row.title);
    case 'binary':
      return reader.binary(row.title);
    case 'variableByteInteger':
    case 'textPair':
      return reader.variableByteInteger(row.title);
  }
}

function checkValue(
  reader: PacketReader,
  row: PropertyRow,
  value: number | string | Uint8Array,
): void {
  const isBinary = row.type === 'bit' || row.type === 'boolean';
  if (isBinary && typeof value === 'number' && value > 1) {
    reader.protocolError(`${row.title} is ${value}, neither 0 nor 1`, [row.section, '']);
  } else if (row.zero === 'refused' && value === 0) {
    const code =
      row.identifier === PropertyIdentifier.topicAlias
        ? ReasonCode.topicAliasInvalid // MQTT-5.0 [MQTT-3.3.2-8]
        : ReasonCode.protocolError;
    reader.reject(code, `${row.title} is 0`, [row.section, '']);
  } else if (row.name === 'responseTopic' && typeof value === 'string') {
    checkResponseTopic(reader, value);
  }
}

function checkResponseTopic(reader: PacketReader, topic: string): void {
  if (topic.length === 0) {
    reader.protocolError('Response Topic is empty', ['[MQTT-4.7.3-1]', '']);
  } else if (hasWildcard(topic)) {
    reader.protocolError(`Response Topic contains a wildcard: ${topic}`, ['[MQTT-3.3.2-14]', '']);
  }
}

function readUserProperty(
  reader: PacketReader,
  userProperties: (readonly [string, string])[],
): void {
  const max = reader.limits.userPropertiesMax;
  if (userProperties.length >= max) {
    const reason = `more than ${max} user properties`;
    return reader.reject(ReasonCode.quotaExceeded, reason, ['§4.13.2', '']);
  }
  const name = reader.text('the name of a user property');
  userProperties.push([name, reader.text('the value of a user property')]);
}

function readSubscriptionIdentifier(
  reader: PacketReader,
  owner: PropertyOwner,
  draft: Draft,
): void {
  const value = reader.variableByteInteger('Subscription Identifier');
  if (reader.fault !== null) return;
  draft.subscriptionIdentifiers ??= [];
  const earlier = draft.subscriptionIdentifiers;
  if (value === 0) {
    reader.protocolError('Subscription Identifier is 0', ['§3.8.2.1.2', '']);
  } else if (owner === 'subscribe' && earlier.length > 0) {
    reader.protocolError('Subscription Identifier appears twice', ['§3.8.2.1.2', '']);
  } else if (owner === 'publish' && reader.limits.direction === 'fromClient') {
    const reason = `a client sends Subscription Identifier ${value} in PUBLISH`;
    reader.protocolError(reason, ['[MQTT-3.3.4-6]', '']);
  }
  earlier.push(value);
}

/** Rules about more than one property. */
function checkTogether(reader: PacketReader, draft: Draft): void {
  if (draft.authenticationData !== undefined && draft.authenticationMethod === undefined) {
    const reason = 'Authentication Data without Authentication Method';
    reader.protocolError(reason, ['§3.1.2.11.10', '']);
  }
}
