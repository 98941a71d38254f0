/** UNSUBSCRIBE (MQTT-5.0 §3.10). Filters are checked as strings here and as filters by the broker. */
import { assert } from '@robustmq/errors';
import type { ProtocolVersion, Unsubscribe } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';

const UNSUBSCRIBE_HEADER = 0xa2; // MQTT-5.0 [MQTT-3.10.1-1]

/** Decodes UNSUBSCRIBE: at least one filter, in the order of the packet. */
export function readUnsubscribe(reader: PacketReader): Unsubscribe {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, 'unsubscribe');
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(reader.text('a topic filter'));
  if (filters.length === 0) {
    const clauses = ['[MQTT-3.10.3-2]', '[MQTT-3.10.3-2]'] as const;
    reader.protocolError('UNSUBSCRIBE without a topic filter', clauses);
  }
  return { kind: 'unsubscribe', packetIdentifier, filters, properties };
}

/** Encodes UNSUBSCRIBE. */
export function encodeUnsubscribe(packet: Unsubscribe, version: ProtocolVersion): Uint8Array {
  assert(packet.filters.length > 0, 'UNSUBSCRIBE has a filter (MQTT-5.0 [MQTT-3.10.3-2])');
  const writer = new PacketWriter(version);
  writer.packetIdentifier(packet.packetIdentifier);
  writer.properties(packet.properties, 'unsubscribe');
  for (const filter of packet.filters) writer.text(filter);
  return writer.packet(UNSUBSCRIBE_HEADER);
}
