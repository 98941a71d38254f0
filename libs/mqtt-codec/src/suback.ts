/** SUBACK (MQTT-5.0 §3.9). */
import { isLegalReasonCode } from './legal-reason-codes.ts';
import type { ProtocolVersion, Suback } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';
import { reasonCodeName } from './reason-code-name.ts';

const SUBACK_HEADER = 0x90;
/** The only failure of 3.1.1 (MQTT-3.1.1 §3.9.3). */
const FAILURE = 0x80;

/** Decodes SUBACK: at least one reason code, in the order of the subscriptions. */
export function readSuback(reader: PacketReader): Suback {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, 'suback');
  const reasonCodes: number[] = [];
  while (reader.remaining > 0) reasonCodes.push(readReasonCode(reader));
  if (reasonCodes.length === 0) {
    reader.protocolError('SUBACK without a reason code', ['§3.9.3', '[MQTT-3.8.4-5]']);
  }
  return { kind: 'suback', packetIdentifier, reasonCodes, properties };
}

function readReasonCode(reader: PacketReader): number {
  const code = reader.byte('a reason code');
  const isLegal =
    reader.version === 5 ? isLegalReasonCode('suback', code) : code <= 2 || code === FAILURE;
  if (!isLegal) {
    const reason = `${reasonCodeName(code)} is not legal in SUBACK`;
    reader.protocolError(reason, ['[MQTT-3.9.3-2]', '[MQTT-3.9.3-2]']);
  }
  return code;
}

/** Encodes SUBACK; before 5.0 every failure is 0x80 (MQTT-3.1.1 [MQTT-3.9.3-2]). */
export function encodeSuback(packet: Suback, version: ProtocolVersion): Uint8Array {
  const writer = new PacketWriter(version);
  writer.packetIdentifier(packet.packetIdentifier);
  writer.properties(packet.properties, 'suback');
  for (const code of packet.reasonCodes) {
    writer.byte(version === 5 || code < FAILURE ? code : FAILURE);
  }
  return writer.packet(SUBACK_HEADER);
}
