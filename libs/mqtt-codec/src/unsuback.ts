/** UNSUBACK (MQTT-5.0 §3.11). */
import { isLegalReasonCode } from './legal-reason-codes.ts';
import type { ProtocolVersion, Unsuback } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';
import { reasonCodeName } from './reason-code-name.ts';

const UNSUBACK_HEADER = 0xb0;

/** Decodes UNSUBACK: in 5.0 at least one reason code, before 5.0 none (MQTT-3.1.1 §3.11.3). */
export function readUnsuback(reader: PacketReader): Unsuback {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, 'unsuback');
  const reasonCodes: number[] = [];
  if (reader.version === 5) {
    while (reader.remaining > 0) reasonCodes.push(readReasonCode(reader));
    if (reasonCodes.length === 0) {
      reader.protocolError('UNSUBACK without a reason code', ['§3.11.3', '']);
    }
  }
  return { kind: 'unsuback', packetIdentifier, reasonCodes, properties };
}

function readReasonCode(reader: PacketReader): number {
  const code = reader.byte('a reason code');
  if (!isLegalReasonCode('unsuback', code)) {
    const reason = `${reasonCodeName(code)} is not legal in UNSUBACK`;
    reader.protocolError(reason, ['[MQTT-3.11.3-2]', '']);
  }
  return code;
}

/** Encodes UNSUBACK; before 5.0 without reason codes. */
export function encodeUnsuback(packet: Unsuback, version: ProtocolVersion): Uint8Array {
  const writer = new PacketWriter(version);
  writer.packetIdentifier(packet.packetIdentifier);
  writer.properties(packet.properties, 'unsuback');
  if (version === 5) for (const code of packet.reasonCodes) writer.byte(code);
  return writer.packet(UNSUBACK_HEADER);
}
