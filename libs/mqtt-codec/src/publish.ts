/**
 * PUBLISH as an object (MQTT-5.0 §3.3), for clients, tools and explanations. Brokers decode in place
 * with publish-fields.ts; a test holds both to the same verdicts.
 */
import type { ProtocolVersion, Publish, Qos } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';
import { checkTopicName } from './topic-name.ts';

const PUBLISH_HEADER = 0x30;
const DUP = 0x08;
const RETAIN = 0x01;

/** Decodes PUBLISH; the payload is a copy. An empty topic stands for the topic alias beside it. */
export function readPublish(reader: PacketReader): Publish {
  const qos = ((reader.header >> 1) & 3) as Qos;
  const dup = (reader.header & DUP) !== 0;
  checkFlags(reader, qos, dup);
  const topic = reader.text('the topic name');
  const packetIdentifier = qos === 0 ? 0 : reader.packetIdentifier();
  const properties = readProperties(reader, 'publish');
  if (topic.length === 0 && reader.version === 5) {
    if (properties.topicAlias === undefined) {
      reader.protocolError('an empty topic name without a topic alias', ['§3.3.2.1', '']);
    }
  } else {
    checkTopicName(reader, topic, 'the topic name');
  }
  const retain = (reader.header & RETAIN) !== 0;
  const payload = reader.rest();
  return { kind: 'publish', topic, payload, qos, retain, dup, packetIdentifier, properties };
}

function checkFlags(reader: PacketReader, qos: number, dup: boolean): void {
  if (qos === 3) {
    reader.malformed('the QoS is 3', ['[MQTT-3.3.1-4]', '[MQTT-3.3.1-4]']);
  } else if (dup && qos === 0) {
    reader.malformed('DUP is set with QoS 0', ['[MQTT-3.3.1-2]', '[MQTT-3.3.1-2]']);
  }
}

/** Encodes PUBLISH. */
export function encodePublish(packet: Publish, version: ProtocolVersion): Uint8Array {
  const writer = new PacketWriter(version);
  writer.text(packet.topic);
  if (packet.qos !== 0) writer.packetIdentifier(packet.packetIdentifier);
  writer.properties(packet.properties, 'publish');
  writer.raw(packet.payload);
  const flags = (packet.dup ? DUP : 0) | (packet.qos << 1) | (packet.retain ? RETAIN : 0);
  return writer.packet(PUBLISH_HEADER | flags);
}
