/**
 * The properties of a PUBLISH in place (MQTT-5.0 §3.3.2.3): checked, and copied without the two that
 * belong to one hop. Hot path: no allocation, no exception.
 *
 * A step over one property returns the offset after it, or its reason code negated.
 */
import { readVariableByteInteger, variableByteIntegerSize } from '@robustmq/bytes';
import type { PublishFields } from './hot-path.ts';
import { PropertyIdentifier } from './property-table.ts';
import { ReasonCode } from './reason-code.ts';
import { stepOverBinary, stepOverText, stepOverTextPair } from './step-over.ts';
import { validateTopicBytes } from './topic-bytes.ts';

const MALFORMED: number = -ReasonCode.malformedPacket;
const PROTOCOL_ERROR: number = -ReasonCode.protocolError;

const TOPIC_ALIAS_BIT = 1;
const MESSAGE_EXPIRY_BIT = 2;

/** One bit for each property that a PUBLISH holds at most once; 0 for all other identifiers. */
const SINGLE_BIT: Uint8Array = new Uint8Array(256);
SINGLE_BIT[PropertyIdentifier.topicAlias] = TOPIC_ALIAS_BIT;
SINGLE_BIT[PropertyIdentifier.messageExpiryInterval] = MESSAGE_EXPIRY_BIT;
SINGLE_BIT[PropertyIdentifier.payloadFormatIndicator] = 4;
SINGLE_BIT[PropertyIdentifier.contentType] = 8;
SINGLE_BIT[PropertyIdentifier.responseTopic] = 16;
SINGLE_BIT[PropertyIdentifier.correlationData] = 32;

/**
 * Checks the property length at `at` and every property, up to `fields.payloadEnd`, and sets the
 * fields that depend on them.
 *
 * @returns 0 or the reason code of the first fault
 */
export function scanPublishProperties(
  bytes: Uint8Array,
  at: number,
  fields: PublishFields,
): number {
  const length = readVariableByteInteger(bytes, at, fields.payloadEnd);
  if (length < 0) return ReasonCode.malformedPacket;
  const start = at + variableByteIntegerSize(length);
  const end = start + length;
  if (end > fields.payloadEnd) return ReasonCode.malformedPacket;
  fields.propertiesStart = start;
  fields.propertiesEnd = end;

  let seen = 0;
  let userProperties = 0;
  let offset = start;
  while (offset < end) {
    const identifier = bytes[offset] as number;
    const bit = SINGLE_BIT[identifier] as number;
    if ((seen & bit) !== 0) return ReasonCode.protocolError; // MQTT-5.0 §3.3.2.3: at most once.
    seen |= bit;
    if (identifier === PropertyIdentifier.userProperty) {
      userProperties += 1;
      if (userProperties > fields.userPropertiesMax) return ReasonCode.quotaExceeded;
      offset = stepOverTextPair(bytes, offset + 1, end);
    } else {
      offset = stepOverProperty(bytes, offset, end, fields);
    }
    if (offset < 0) return -offset;
  }
  fields.propertiesForwardable = (seen & (TOPIC_ALIAS_BIT | MESSAGE_EXPIRY_BIT)) === 0;
  return 0;
}

/** One property but a user property; `at` is that of the identifier. */
function stepOverProperty(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: PublishFields,
): number {
  switch (bytes[at]) {
    case PropertyIdentifier.payloadFormatIndicator:
      return stepOverPayloadFormat(bytes, at + 1, end, fields);
    case PropertyIdentifier.messageExpiryInterval:
      return stepOverMessageExpiry(bytes, at + 1, end, fields);
    case PropertyIdentifier.contentType:
      return stepOverText(bytes, at + 1, end);
    case PropertyIdentifier.responseTopic:
      return stepOverResponseTopic(bytes, at + 1, end);
    case PropertyIdentifier.correlationData:
      return stepOverBinary(bytes, at + 1, end);
    case PropertyIdentifier.subscriptionIdentifier:
      return stepOverSubscriptionIdentifier(bytes, at + 1, end, fields);
    case PropertyIdentifier.topicAlias:
      return stepOverTopicAlias(bytes, at + 1, end, fields);
    default:
      return MALFORMED; // MQTT-5.0 §2.2.2.2: not valid for this packet type.
  }
}

function stepOverPayloadFormat(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: PublishFields,
): number {
  if (at >= end) return MALFORMED;
  const value = bytes[at] as number;
  if (value > 1) return PROTOCOL_ERROR; // MQTT-5.0 §3.3.2.3.2
  fields.payloadFormatIndicator = value;
  return at + 1;
}

function stepOverMessageExpiry(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: PublishFields,
): number {
  if (at + 4 > end) return MALFORMED;
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  fields.messageExpirySeconds = high * 65_536 + low;
  return at + 4;
}

function stepOverResponseTopic(bytes: Uint8Array, at: number, end: number): number {
  const after = stepOverBinary(bytes, at, end);
  if (after < 0) return after;
  const fault = validateTopicBytes(bytes, at + 2, after - at - 2);
  if (fault === 0) return after;
  // MQTT-5.0 [MQTT-3.3.2-14] for wildcards, [MQTT-4.7.3-1] for the empty name.
  return fault === ReasonCode.topicNameInvalid ? PROTOCOL_ERROR : MALFORMED;
}

function stepOverSubscriptionIdentifier(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: PublishFields,
): number {
  const value = readVariableByteInteger(bytes, at, end);
  if (value < 0) return MALFORMED;
  if (value === 0) return PROTOCOL_ERROR; // MQTT-5.0 §3.3.2.3.8
  if (!fields.subscriptionIdentifiersAccepted) return PROTOCOL_ERROR; // MQTT-5.0 [MQTT-3.3.4-6]
  return at + variableByteIntegerSize(value);
}

function stepOverTopicAlias(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: PublishFields,
): number {
  if (at + 2 > end) return MALFORMED;
  const alias = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (alias === 0) return -ReasonCode.topicAliasInvalid; // MQTT-5.0 [MQTT-3.3.2-8]
  fields.topicAlias = alias;
  return at + 2;
}

/** Bytes that topic alias takes in the properties, identifier included. */
const TOPIC_ALIAS_BYTES = 3;
/** Bytes that message expiry interval takes in the properties, identifier included. */
const MESSAGE_EXPIRY_BYTES = 5;

/** How many bytes {@link forwardableProperties} will copy. */
export function forwardablePropertiesSize(fields: PublishFields): number {
  const size = fields.propertiesEnd - fields.propertiesStart;
  const alias = fields.topicAlias === 0 ? 0 : TOPIC_ALIAS_BYTES;
  return size - alias - (fields.messageExpirySeconds < 0 ? 0 : MESSAGE_EXPIRY_BYTES);
}

/**
 * Copies the properties of a decoded PUBLISH to `target` at `at`, without the property length and
 * without topic alias and message expiry interval, which hold for one hop only (MQTT-5.0
 * [MQTT-3.3.2-7], [MQTT-3.3.2-6]). The others keep their bytes and their order, as user properties
 * must (MQTT-5.0 [MQTT-3.3.2-18]).
 *
 * @param bytes  the buffer that `fields` were decoded from, unchanged since
 * @returns the offset after the last byte written
 */
export function forwardableProperties(
  bytes: Uint8Array,
  fields: PublishFields,
  target: Uint8Array,
  at: number,
): number {
  let from = fields.propertiesStart;
  let to = at;
  const end = fields.propertiesEnd;
  if (fields.propertiesForwardable) return copyBytes(bytes, from, end, target, to);
  for (let offset = from; offset < end; ) {
    const identifier = bytes[offset] as number;
    const after = endOfProperty(bytes, offset, end);
    const isOfOneHop =
      identifier === PropertyIdentifier.topicAlias ||
      identifier === PropertyIdentifier.messageExpiryInterval;
    if (isOfOneHop) {
      to = copyBytes(bytes, from, offset, target, to);
      from = after;
    }
    offset = after;
  }
  return copyBytes(bytes, from, end, target, to);
}

/** The end of a property that was checked before. */
function endOfProperty(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case PropertyIdentifier.payloadFormatIndicator:
      return at + 2;
    case PropertyIdentifier.topicAlias:
      return at + TOPIC_ALIAS_BYTES;
    case PropertyIdentifier.messageExpiryInterval:
      return at + MESSAGE_EXPIRY_BYTES;
    case PropertyIdentifier.subscriptionIdentifier:
      return at + 1 + variableByteIntegerSize(readVariableByteInteger(bytes, at + 1, end));
    case PropertyIdentifier.userProperty:
      return stepOverBinary(bytes, stepOverBinary(bytes, at + 1, end), end);
    default:
      return stepOverBinary(bytes, at + 1, end);
  }
}

/** A loop: for the few bytes of properties it beats a slice and `set`. */
function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  let to = at;
  for (let from = start; from < end; from += 1) {
    target[to] = source[from] as number;
    to += 1;
  }
  return to;
}
