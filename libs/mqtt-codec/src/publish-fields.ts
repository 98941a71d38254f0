/**
 * PUBLISH in place (MQTT-5.0 §3.3): offsets and numbers into a reused structure. Hot path: no
 * allocation, no exception; one pass over the properties, none over topic and payload.
 */
import type { Frame, PublishFields, PublishRules } from './hot-path.ts';
import type { ProtocolVersion } from './packet.ts';
import { scanPublishProperties } from './publish-properties.ts';
import { ReasonCode } from './reason-code.ts';

/** What a server holds a client to. LIMIT: userPropertiesMax, per packet; beyond it 0x97. */
export const PUBLISH_RULES_FROM_CLIENT: PublishRules = Object.freeze({
  subscriptionIdentifiers: 'refused',
  userPropertiesMax: 1024,
});

/** What a client holds a server to. */
export const PUBLISH_RULES_FROM_SERVER: PublishRules = Object.freeze({
  subscriptionIdentifiers: 'accepted',
  userPropertiesMax: 1024,
});

/** Fields to be filled by {@link decodePublish} again and again, under the given rules. */
export function createPublishFields(
  rules: PublishRules = PUBLISH_RULES_FROM_CLIENT,
): PublishFields {
  const fields: PublishFields = {
    qos: 0,
    retain: false,
    dup: false,
    topicStart: 0,
    topicLength: 0,
    packetIdentifier: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
    topicAlias: 0,
    // A value above 2^31 first: the engine then keeps this field as a double for good, and neither
    // changes the shape nor allocates when a client sends a large interval.
    messageExpirySeconds: 0xffffffff,
    propertiesForwardable: true,
    payloadFormatIndicator: -1,
    subscriptionIdentifiersAccepted: rules.subscriptionIdentifiers === 'accepted',
    userPropertiesMax: rules.userPropertiesMax,
  };
  fields.messageExpirySeconds = -1;
  return fields;
}

/**
 * Decodes the PUBLISH that {@link readFrame} found complete, and checks all of it but the characters
 * of the topic name: that is `validateTopicBytes`, which a topic seen before does not need.
 *
 * @returns 0, or the reason code of the fault; `fields` then hold nothing of value. The reason in
 *   words is what `decodePacket` of the same frame says. Reason codes are those of 5.0 for 3.x, too,
 *   where the answer to all of them is to close the connection.
 */
export function decodePublish(
  bytes: Uint8Array,
  frame: Frame,
  version: ProtocolVersion,
  fields: PublishFields,
): number {
  const header = frame.header;
  const end = frame.bodyEnd;
  const qos = (header >> 1) & 3;
  const dup = (header & 8) !== 0;
  if (qos === 3) return ReasonCode.malformedPacket; // MQTT-5.0 [MQTT-3.3.1-4]
  if (dup && qos === 0) return ReasonCode.malformedPacket; // MQTT-5.0 [MQTT-3.3.1-2]
  fields.qos = qos;
  fields.dup = dup;
  fields.retain = (header & 1) !== 0;

  let at = frame.bodyStart;
  if (at + 2 > end) return ReasonCode.malformedPacket;
  const topicLength = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  at += 2;
  fields.topicStart = at;
  fields.topicLength = topicLength;
  at += topicLength;
  if (at > end) return ReasonCode.malformedPacket;

  if (qos === 0) {
    fields.packetIdentifier = 0;
  } else {
    if (at + 2 > end) return ReasonCode.malformedPacket;
    const packetIdentifier = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    if (packetIdentifier === 0) return ReasonCode.protocolError; // MQTT-5.0 [MQTT-2.2.1-3]
    fields.packetIdentifier = packetIdentifier;
    at += 2;
  }

  fields.payloadEnd = end;
  fields.topicAlias = 0;
  fields.messageExpirySeconds = -1;
  fields.payloadFormatIndicator = -1;
  fields.propertiesForwardable = true;
  if (version === 5) return decodeProperties(bytes, at, fields);

  fields.propertiesStart = at;
  fields.propertiesEnd = at;
  fields.payloadStart = at;
  return topicLength === 0 ? ReasonCode.topicNameInvalid : 0; // MQTT-3.1.1 [MQTT-4.7.3-1]
}

function decodeProperties(bytes: Uint8Array, at: number, fields: PublishFields): number {
  const fault = scanPublishProperties(bytes, at, fields);
  if (fault !== 0) return fault;
  fields.payloadStart = fields.propertiesEnd;
  // MQTT-5.0 §3.3.2.1: an empty topic name without a topic alias is a protocol error.
  return fields.topicLength === 0 && fields.topicAlias === 0 ? ReasonCode.protocolError : 0;
}
