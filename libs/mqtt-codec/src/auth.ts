/** AUTH (MQTT-5.0 §3.15): 5.0 only. */
import { isLegalReasonCode, mayAuthenticateWith } from './legal-reason-codes.ts';
import type { Auth } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { NO_PROPERTIES } from './properties.ts';
import { readProperties } from './property-reader.ts';
import type { ReasonCode } from './reason-code.ts';
import { reasonCodeName } from './reason-code-name.ts';

const AUTH_HEADER = 0xf0;

/**
 * Decodes AUTH. Without a body it means success without properties (MQTT-5.0 §3.15.2.1); otherwise
 * the authentication method must be there (MQTT-5.0 §3.15.2.2.2).
 */
export function readAuth(reader: PacketReader): Auth {
  const isEmpty = reader.remaining === 0;
  const reasonCode = isEmpty ? 0 : reader.byte('the reason code');
  checkReasonCode(reader, reasonCode);
  const properties = isEmpty ? NO_PROPERTIES : readProperties(reader, 'auth');
  if (!isEmpty && properties.authenticationMethod === undefined) {
    reader.protocolError('AUTH without Authentication Method', ['§3.15.2.2.2', '']);
  }
  return { kind: 'auth', reasonCode: reasonCode as ReasonCode, properties };
}

function checkReasonCode(reader: PacketReader, code: number): void {
  const direction = reader.limits.direction;
  if (!isLegalReasonCode('auth', code)) {
    const reason = `${reasonCodeName(code)} is not legal in AUTH`;
    reader.protocolError(reason, ['[MQTT-3.15.2-1]', '']);
  } else if (!mayAuthenticateWith(direction, code)) {
    const sender = direction === 'fromServer' ? 'a server' : 'a client';
    const reason = `${sender} does not send ${reasonCodeName(code)} in AUTH`;
    reader.protocolError(reason, ['§3.15.2.1', '']);
  }
}

/** Encodes AUTH in its shortest form. */
export function encodeAuth(packet: Auth): Uint8Array {
  const writer = new PacketWriter(5);
  const isEmpty = packet.reasonCode === 0 && Object.keys(packet.properties).length === 0;
  if (!isEmpty) {
    writer.byte(packet.reasonCode);
    writer.properties(packet.properties, 'auth');
  }
  return writer.packet(AUTH_HEADER);
}
