/** CONNACK (MQTT-5.0 §3.2). */
import { assert } from '@robustmq/errors';
import { reasonCodeToConnectReturnCode } from './connect-return-code.ts';
import { isLegalReasonCode } from './legal-reason-codes.ts';
import type { Connack, ProtocolVersion } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property-reader.ts';
import { reasonCodeName } from './reason-code-name.ts';

const CONNACK_HEADER = 0x20;
const RETURN_CODE_MAX = 5;

/** Decodes CONNACK. */
export function readConnack(reader: PacketReader): Connack {
  const flags = reader.byte('the acknowledge flags');
  const reasonCode = reader.byte('the reason code');
  if (reader.fault === null) check(reader, flags, reasonCode);
  const properties = readProperties(reader, 'connack');
  return { kind: 'connack', sessionPresent: (flags & 1) !== 0, reasonCode, properties };
}

function check(reader: PacketReader, flags: number, reasonCode: number): void {
  if (flags > 1 || (flags === 1 && reader.version === 3)) {
    // 3.1 knows no session present: the byte is reserved (MQTT-3.1 §3.2).
    const reason = `reserved bits of the acknowledge flags ${flags} are set`;
    return reader.malformed(reason, ['[MQTT-3.2.2-1]', '§3.2.2.1']);
  }
  const isLegal =
    reader.version === 5 ? isLegalReasonCode('connack', reasonCode) : reasonCode <= RETURN_CODE_MAX;
  if (!isLegal) {
    const reason = `${reasonCodeName(reasonCode)} is not legal in CONNACK`;
    return reader.protocolError(reason, ['[MQTT-3.2.2-8]', '§3.2.2.3']);
  }
  if (flags === 1 && reasonCode !== 0) {
    const reason = `session present with ${reasonCodeName(reasonCode)}`;
    reader.protocolError(reason, ['[MQTT-3.2.2-6]', '[MQTT-3.2.2-4]']);
  }
}

/**
 * Encodes CONNACK. For 3.x, `reasonCode` is a return code, 0 to 5, or a reason code of 5.0 for which
 * `reasonCodeToConnectReturnCode` has an answer.
 */
export function encodeConnack(packet: Connack, version: ProtocolVersion): Uint8Array {
  const flags = packet.sessionPresent && version !== 3 ? 1 : 0;
  if (version !== 5)
    return Uint8Array.of(CONNACK_HEADER, 2, flags, returnCodeOf(packet.reasonCode));
  const writer = new PacketWriter(version);
  writer.byte(flags);
  writer.byte(packet.reasonCode);
  writer.properties(packet.properties, 'connack');
  return writer.packet(CONNACK_HEADER);
}

function returnCodeOf(code: number): number {
  if (code <= RETURN_CODE_MAX) return code;
  const returnCode = reasonCodeToConnectReturnCode(code);
  assert(returnCode !== null, `no return code of 3.1.1 says ${reasonCodeName(code)}`);
  return returnCode;
}
