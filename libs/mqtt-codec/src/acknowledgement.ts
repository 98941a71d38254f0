/** PUBACK, PUBREC, PUBREL and PUBCOMP as objects (MQTT-5.0 §3.4 to §3.7): one shape, four types. */
import { AcknowledgementHeader } from './acknowledgement-fields.ts';
import { isLegalReasonCode } from './legal-reason-codes.ts';
import type { Acknowledgement, ProtocolVersion } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { NO_PROPERTIES } from './properties.ts';
import { readProperties } from './property-reader.ts';
import type { ReasonCode } from './reason-code.ts';
import { reasonCodeName } from './reason-code-name.ts';

/** Decodes one of the four; before 5.0 only the packet identifier is there. */
export function readAcknowledgement(
  reader: PacketReader,
  kind: Acknowledgement['kind'],
): Acknowledgement {
  const packetIdentifier = reader.packetIdentifier();
  const hasReason = reader.version === 5 && reader.remaining > 0;
  const reasonCode = hasReason ? reader.byte('the reason code') : 0;
  if (reasonCode !== 0 && !isLegalReasonCode(kind, reasonCode)) {
    const reason = `${reasonCodeName(reasonCode)} is not legal in ${kind.toUpperCase()}`;
    reader.protocolError(reason, [REASON_CLAUSE[kind], '']);
  }
  // MQTT-5.0 §3.4.2.2.1: with a remaining length below 4 there is no property length.
  const properties =
    reader.remaining > 0 && hasReason ? readProperties(reader, kind) : NO_PROPERTIES;
  return { kind, packetIdentifier, reasonCode: reasonCode as ReasonCode, properties };
}

const REASON_CLAUSE: Readonly<Record<Acknowledgement['kind'], string>> = {
  puback: '[MQTT-3.4.2-1]',
  pubrec: '[MQTT-3.5.2-1]',
  pubrel: '[MQTT-3.6.2-1]',
  pubcomp: '[MQTT-3.7.2-1]',
};

/** Encodes one of the four in its shortest form; before 5.0 without the reason code. */
export function encodeAcknowledgement(
  packet: Acknowledgement,
  version: ProtocolVersion,
): Uint8Array {
  const writer = new PacketWriter(version);
  writer.packetIdentifier(packet.packetIdentifier);
  writeReasonAndProperties(writer, packet);
  return writer.packet(AcknowledgementHeader[packet.kind]);
}

function writeReasonAndProperties(writer: PacketWriter, packet: Acknowledgement): void {
  if (writer.version !== 5) return;
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (packet.reasonCode !== 0 || hasProperties) writer.byte(packet.reasonCode);
  if (hasProperties) writer.properties(packet.properties, packet.kind);
}
