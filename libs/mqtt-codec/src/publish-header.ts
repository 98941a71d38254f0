/**
 * Everything of an outbound PUBLISH but its payload, written into the caller's buffer (MQTT-5.0
 * §3.3). A template is written once for all subscribers of one version, QoS and set of properties;
 * per subscriber only the packet identifier and the first byte are patched. Hot path: no allocation.
 *
 *     first byte │ remaining length │ topic length, topic │ packet identifier │ property length, properties │ payload
 *                  1 to 4 bytes                             QoS 1 and 2 only    5.0 only
 */
import { variableByteIntegerSize, writeVariableByteInteger } from '@robustmq/bytes';
import type { ProtocolVersion, Qos } from './packet.ts';

/** The sizes that decide where the parts of a PUBLISH lie. May be reused. */
export interface PublishShape {
  version: ProtocolVersion;
  qos: Qos;
  /** UTF-8 bytes of the topic name, 0 to 65535. */
  topicLength: number;
  /** Bytes of the properties, without the property length. Ignored before 5.0. */
  propertiesLength: number;
  payloadLength: number;
}

/** Bytes after the fixed header. The standard's limit is 268 435 455. */
export function publishRemainingLength(shape: PublishShape): number {
  return publishVariableHeaderSize(shape) + shape.payloadLength;
}

function publishVariableHeaderSize(shape: PublishShape): number {
  const size = 2 + shape.topicLength + (shape.qos === 0 ? 0 : 2);
  if (shape.version !== 5) return size;
  return size + variableByteIntegerSize(shape.propertiesLength) + shape.propertiesLength;
}

/** Bytes before the payload: what {@link writePublishHeader} writes, properties included. */
export function publishHeaderSize(shape: PublishShape): number {
  const variableHeader = publishVariableHeaderSize(shape);
  return 1 + variableByteIntegerSize(variableHeader + shape.payloadLength) + variableHeader;
}

/** Bytes of the whole packet, for the receiver's maximum packet size (MQTT-5.0 [MQTT-3.1.2-24]). */
export function publishSize(shape: PublishShape): number {
  return publishHeaderSize(shape) + shape.payloadLength;
}

/** Where the packet identifier lies, counted from the first byte; -1 for QoS 0. */
export function publishPacketIdentifierOffset(shape: PublishShape): number {
  if (shape.qos === 0) return -1;
  return 1 + variableByteIntegerSize(publishRemainingLength(shape)) + 2 + shape.topicLength;
}

/** The first byte of a PUBLISH: type and flags, without DUP, which a repetition sets as `| 0x08`. */
export function publishFirstByte(qos: Qos, retain: 'retain' | 'live'): number {
  return 0x30 | (qos << 1) | (retain === 'retain' ? 1 : 0);
}

/**
 * Writes the PUBLISH up to and including the property length, with the packet identifier 0 where
 * there is one, and returns the offset after it: where the caller writes the properties (5.0), then
 * the payload. The caller has made {@link publishSize} bytes of room.
 *
 * @param firstByte  see {@link publishFirstByte}; its QoS is `shape.qos`
 * @param topic  holds the topic name at `[topicStart, topicStart + shape.topicLength)`
 */
export function writePublishHeader(
  target: Uint8Array,
  at: number,
  shape: PublishShape,
  firstByte: number,
  topic: Uint8Array,
  topicStart: number,
): number {
  target[at] = firstByte;
  let to = writeVariableByteInteger(target, at + 1, publishRemainingLength(shape));
  target[to] = shape.topicLength >>> 8;
  target[to + 1] = shape.topicLength & 0xff;
  to += 2;
  for (let index = 0; index < shape.topicLength; index += 1) {
    target[to + index] = topic[topicStart + index] as number;
  }
  to += shape.topicLength;
  if (shape.qos !== 0) {
    target[to] = 0;
    target[to + 1] = 0;
    to += 2;
  }
  return shape.version === 5 ? writeVariableByteInteger(target, to, shape.propertiesLength) : to;
}
