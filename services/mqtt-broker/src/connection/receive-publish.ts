import type { Message, Topic } from '@robustmq/broker';
import {
  decodePublish,
  forwardableProperties,
  type PublishFields,
  ReasonCode,
  validateTopicBytes,
} from '@robustmq/mqtt-codec';
import { InboundAliases } from '@robustmq/mqtt-session';
import { describeTopicFault, parseTopicName } from '@robustmq/topic';
import { OPERATION } from '../durable/operations.ts';
import { publishMessage, PublishOutcome } from '../publish-message.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ClientConnection } from './client-connection.ts';
import { WireFlavour } from './publish-encoder.ts';
import { admitsRate } from './rate-limit.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;
const SLASH = 0x2f;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
let propertyScratch = new Uint8Array(1024);

/**
 * A PUBLISH from a client (MQTT-5.0 §3.3). Hot path: in the common case no object, string or copy is
 * made; the message's ranges point into the receive buffer.
 */
export function receivePublish(connection: ClientConnection, buffer: Buffer): void {
  const { context } = connection;
  const fields = context.publishFields;
  const fault = decodePublish(buffer, context.frame, connection.version, fields);
  if (fault !== 0) {
    connection.close(fault, 'malformed PUBLISH');
    return;
  }
  const session = connection.session as ClientSession;
  const topic = topicOf(connection, buffer, fields);
  if (topic === null) return;
  if (fields.qos === 2 && session.repeats?.holds(connection, buffer, topic) === true) return;
  if (!admitsOffer(connection, fields) || !admitsRate(connection, buffer, fields)) return;
  const { counters } = context;
  if (fields.qos === 0) counters.publishReceivedQos0 += 1;
  else if (fields.qos === 1) counters.publishReceivedQos1 += 1;
  else counters.publishReceivedQos2 += 1;
  if (fields.qos === 2 && !admitsReceipt(connection, session, fields.packetIdentifier)) return;
  if (!mayPublish(connection, session, topic)) {
    refuse(connection, fields, ReasonCode.notAuthorized);
    return;
  }
  const message = context.message;
  describe(message, { connection, buffer, fields, topic, session });
  const outcome = publishMessage(context, message, session);
  answer(connection, session, fields, outcome);
  if (context.overloaded || context.log.backlogBytes > BACKLOG_BYTES_MAX) connection.pauseReading();
  else if (context.cluster?.isCongested === true) connection.pauseReading();
}

/** LIMIT: journalBacklogBytes. Above it publishers wait for the disk. */
const BACKLOG_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Looks the topic up by its alias or by its bytes, as they came (MQTT-5.0 [MQTT-4.7.3-4]); null: the
 * connection was closed.
 */
function topicOf(
  connection: ClientConnection,
  buffer: Buffer,
  fields: PublishFields,
): Topic | null {
  if (fields.topicAlias !== 0) return aliasedTopic(connection, buffer, fields);
  const { topics } = connection.context.router;
  const known = topics.lookup(buffer, fields.topicStart, fields.topicLength);
  return known ?? newTopic(connection, buffer, fields, fields.retain);
}

function newTopic(
  connection: ClientConnection,
  buffer: Buffer,
  fields: PublishFields,
  mayPass: boolean,
): Topic | null {
  const { context } = connection;
  const fault = validateTopicBytes(buffer, fields.topicStart, fields.topicLength);
  if (fault !== 0) {
    connection.close(fault, 'the topic name is not legal');
    return null;
  }
  const { topics } = context.router;
  const { limits } = context.settings;
  const bytes = new Uint8Array(fields.topicLength);
  const levels = copyTopic(bytes, buffer, fields.topicStart);
  const fits = bytes.length <= limits.topicBytesMax && levels <= limits.topicLevelsMax;
  if (mayPass && fits) return topics.addIfRepeated(bytes);
  // No wildcards (MQTT-5.0 [MQTT-3.3.2-2], [MQTT-4.7.0-1]).
  const parsed = parseTopicName(UTF8.decode(bytes), limits);
  if (!parsed.ok) {
    connection.close(ReasonCode.topicNameInvalid, describeTopicFault(parsed.fault));
    return null;
  }
  return topics.add(parsed.value, bytes);
}

/** @returns how many levels it has */
function copyTopic(target: Uint8Array, source: Uint8Array, start: number): number {
  let levels = 1;
  for (let index = 0; index < target.length; index += 1) {
    const byte = source[start + index] as number;
    target[index] = byte;
    if (byte === SLASH) levels += 1;
  }
  return levels;
}

function aliasedTopic(
  connection: ClientConnection,
  buffer: Buffer,
  fields: PublishFields,
): Topic | null {
  const max = connection.context.settings.protocol.topicAliasMaximum;
  connection.inboundAliases ??= new InboundAliases(max);
  const aliases = connection.inboundAliases;
  if (!aliases.isLegal(fields.topicAlias)) {
    connection.close(
      ReasonCode.topicAliasInvalid,
      `topic alias ${fields.topicAlias} exceeds ${max}`,
    );
    return null;
  }
  if (fields.topicLength > 0) {
    const { topics } = connection.context.router;
    const topic =
      topics.lookup(buffer, fields.topicStart, fields.topicLength) ??
      newTopic(connection, buffer, fields, false);
    if (topic !== null) aliases.set(fields.topicAlias, topic);
    return topic;
  }
  const topic = aliases.get(fields.topicAlias);
  if (topic !== undefined) return topic;
  connection.close(ReasonCode.protocolError, `topic alias ${fields.topicAlias} was never set`);
  return null;
}

/** What CONNACK has told the client (MQTT-5.0 [MQTT-3.2.2-11], [MQTT-3.2.2-14]). */
function admitsOffer(connection: ClientConnection, fields: PublishFields): boolean {
  const { protocol } = connection.context.settings;
  if (fields.qos > protocol.maximumQos) {
    connection.close(
      ReasonCode.qosNotSupported,
      `QoS ${fields.qos} exceeds ${protocol.maximumQos}`,
    );
    return false;
  }
  if (fields.retain && !protocol.retainAvailable) {
    connection.close(ReasonCode.retainNotSupported, 'retained messages are not available');
    return false;
  }
  if (fields.qos === 0) return true;
  const session = connection.session as ClientSession;
  const open = connection.waitingPubacks + session.receiptCount;
  if (open < protocol.receiveMaximum) return true;
  return admitsAboveQuota(connection, session, fields);
}

/**
 * MQTT-5.0 [MQTT-3.3.4-7]. A 3.x client is not told of the limit: its QoS 1 waits in the kernel, and
 * for QoS 2, which only the client can finish, packet identifiers are the bound.
 */
function admitsAboveQuota(
  connection: ClientConnection,
  session: ClientSession,
  fields: PublishFields,
): boolean {
  if (
    fields.qos === 2 &&
    session.receiptCount > 0 &&
    session.receipts.has(fields.packetIdentifier)
  ) {
    return true;
  }
  if (connection.version !== 5) {
    if (connection.waitingPubacks > 0) connection.pauseReading();
    return true;
  }
  connection.close(ReasonCode.receiveMaximumExceeded, 'more unacknowledged messages than allowed');
  return false;
}

/** A repeated QoS 2 message is acknowledged again and not published again (MQTT-5.0 [MQTT-4.3.3-10]). */
function admitsReceipt(
  connection: ClientConnection,
  session: ClientSession,
  identifier: number,
): boolean {
  if (session.receiptCount === 0 || !session.receipts.has(identifier)) return true;
  const { log } = connection.context;
  // The message may have come over the connection before this one and still wait for its commit.
  const waits = session.durable && !log.isSettled;
  if (waits || connection.waitingAcknowledgements > 0) {
    log.acknowledge(connection, PUBREC, identifier, true);
  } else connection.writeAcknowledgement(PUBREC, identifier);
  return false;
}

function mayPublish(connection: ClientConnection, session: ClientSession, topic: Topic): boolean {
  const { access, counters } = connection.context;
  if (topic.reserved) return false; // Only the broker speaks there.
  if (access.unrestricted) return true;
  const revision = access.revision;
  if (connection.allowedTopic === topic && connection.allowedRevision === revision) return true;
  const allowed = session.superuser || access.mayPublish(session.identity, topic.name);
  if (!allowed) {
    counters.aclFailed += 1;
    counters.droppedNotAuthorized += 1;
    return false;
  }
  counters.aclSuccess += 1;
  connection.allowedTopic = topic;
  connection.allowedRevision = revision;
  return true;
}

/**
 * 3.x has no way to say no but to close; it gets its acknowledgement and the message is dropped. No
 * receipt is left, so what comes under this identifier next is new (MQTT-5.0 [MQTT-4.3.3-9]).
 */
function refuse(connection: ClientConnection, fields: PublishFields, reasonCode: number): void {
  if (fields.qos === 0) return;
  const header = fields.qos === 1 ? PUBACK : PUBREC;
  refuseAs(connection, header, fields.packetIdentifier, reasonCode);
}

/** In order behind those that wait for the journal (MQTT-5.0 [MQTT-4.6.0-2]). */
function refuseAs(
  connection: ClientConnection,
  header: number,
  identifier: number,
  reasonCode: number,
): void {
  if (connection.waitingAcknowledgements === 0) {
    connection.writeAcknowledgementWithReason(header, identifier, reasonCode);
  } else connection.context.log.acknowledge(connection, header, identifier, false, reasonCode);
}

/**
 * Properties are forwarded as the bytes they came in: payload format, response topic, correlation data,
 * user properties and content type unaltered and in order (MQTT-5.0 [MQTT-3.3.2-4], [MQTT-3.3.2-15],
 * [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-18], [MQTT-3.3.2-20]).
 */
function describe(
  message: Message,
  from: {
    readonly connection: ClientConnection;
    readonly buffer: Buffer;
    readonly fields: PublishFields;
    readonly topic: Topic;
    readonly session: ClientSession;
  },
): void {
  const { buffer, fields, connection } = from;
  const { context } = connection;
  message.topic = from.topic;
  message.qos = fields.qos;
  message.retain = fields.retain;
  message.publisher = from.session;
  message.payloadBytes = buffer;
  message.payloadStart = fields.payloadStart;
  message.payloadEnd = fields.payloadEnd;
  message.expiresAtMs = 0;
  message.wireStart = -1;
  const cap = context.settings.protocol.messageExpirySecondsMax;
  if (fields.messageExpirySeconds >= 0 || cap > 0) {
    const wanted = fields.messageExpirySeconds >= 0 ? fields.messageExpirySeconds : cap;
    message.expiresAtMs = context.nowMs() + (cap > 0 ? Math.min(wanted, cap) : wanted) * 1000;
  }
  if (fields.propertiesForwardable) {
    message.headerBytes = buffer;
    message.headersStart = fields.propertiesStart;
    message.headersEnd = fields.propertiesEnd;
    if (message.expiresAtMs === 0) describeWire(message, connection, fields);
  } else {
    const size = fields.propertiesEnd - fields.propertiesStart;
    if (propertyScratch.length < size) propertyScratch = new Uint8Array(size * 2);
    message.headerBytes = propertyScratch;
    message.headersStart = 0;
    message.headersEnd = forwardableProperties(buffer, fields, propertyScratch, 0);
  }
  context.forgetKept();
}

/** The packet as it came is what a receiver of the same version gets, but for two fields. */
function describeWire(message: Message, connection: ClientConnection, fields: PublishFields): void {
  const { frame } = connection.context;
  message.wireStart = frame.start;
  message.wireEnd = frame.bodyEnd;
  message.wireFlavour = connection.version === 5 ? WireFlavour.properties : WireFlavour.plain;
  message.wireIdentifierAt =
    fields.qos === 0 ? -1 : fields.topicStart + fields.topicLength - frame.start;
}

/**
 * Acknowledges as the QoS asks (MQTT-5.0 [MQTT-3.3.4-1]): PUBACK ([MQTT-4.3.2-4]) or PUBREC
 * ([MQTT-4.3.3-8]), whoever gets the message and whether it has expired by now ([MQTT-4.3.3-13]).
 */
function answer(
  connection: ClientConnection,
  session: ClientSession,
  fields: PublishFields,
  outcome: PublishOutcome,
): void {
  const { qos, packetIdentifier } = fields;
  if (qos === 0) return;
  const header = qos === 1 ? PUBACK : PUBREC;
  const { log } = connection.context;
  if (outcome === PublishOutcome.refused) {
    if (connection.waitingAcknowledgements === 0 || connection.version !== 5) {
      connection.refuseMessage(header, packetIdentifier);
    } else refuseAs(connection, header, packetIdentifier, log.refusal.reasonCode);
    return;
  }
  if (outcome === PublishOutcome.retainRefused) {
    refuseAs(connection, header, packetIdentifier, ReasonCode.quotaExceeded);
    return;
  }
  let waits = outcome === PublishOutcome.durable || connection.waitingAcknowledgements > 0;
  if (qos === 2) {
    session.receipts.add(packetIdentifier);
    if (session.durable) {
      // The receipt is durable before PUBREC says so: a repeat after a crash finds it.
      log.exchange(OPERATION.receipt, session, packetIdentifier);
      waits = true;
    }
  }
  if (waits) {
    log.acknowledge(connection, header, packetIdentifier, outcome === PublishOutcome.durable);
  } else if (outcome === PublishOutcome.noSubscriber && connection.version === 5) {
    // 0x10 is optional (MQTT-5.0 §3.4.2.1) and tells a publisher what it often wants to know.
    connection.writeAcknowledgementWithReason(
      header,
      packetIdentifier,
      ReasonCode.noMatchingSubscribers,
    );
  } else connection.writeAcknowledgement(header, packetIdentifier);
}
