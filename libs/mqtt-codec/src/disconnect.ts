/** DISCONNECT (MQTT-5.0 §3.14): both ways in 5.0, from the client only before. */
import { isLegalReasonCode, mayDisconnectWith } from './legal-reason-codes.ts';
import type { Disconnect, ProtocolVersion } from './packet.ts';
import type { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';
import { NO_PROPERTIES } from './properties.ts';
import { readProperties } from './property-reader.ts';
import type { ReasonCode } from './reason-code.ts';
import { reasonCodeName } from './reason-code-name.ts';

const DISCONNECT_HEADER = 0xe0;

/** Decodes DISCONNECT; an absent reason code is 0x00 (MQTT-5.0 §3.14.2.1). */
export function readDisconnect(reader: PacketReader): Disconnect {
  const hasReason = reader.version === 5 && reader.remaining > 0;
  const reasonCode = hasReason ? reader.byte('the reason code') : 0;
  checkReasonCode(reader, reasonCode);
  // MQTT-5.0 §3.14.2.2.1: with a remaining length below 2 there is no property length.
  const hasProperties = hasReason && reader.remaining > 0;
  const properties = hasProperties ? readProperties(reader, 'disconnect') : NO_PROPERTIES;
  if (properties.sessionExpiryIntervalSeconds !== undefined && isFromServer(reader)) {
    const reason = 'a server sends Session Expiry Interval in DISCONNECT';
    reader.protocolError(reason, ['[MQTT-3.14.2-2]', '']);
  }
  return { kind: 'disconnect', reasonCode: reasonCode as ReasonCode, properties };
}

function checkReasonCode(reader: PacketReader, code: number): void {
  if (!isLegalReasonCode('disconnect', code)) {
    const reason = `${reasonCodeName(code)} is not legal in DISCONNECT`;
    reader.protocolError(reason, ['[MQTT-3.14.2-1]', '']);
  } else if (!mayDisconnectWith(reader.limits.direction, code)) {
    const sender = isFromServer(reader) ? 'a server' : 'a client';
    const reason = `${sender} does not send ${reasonCodeName(code)} in DISCONNECT`;
    reader.protocolError(reason, ['§3.14.2.1', '']);
  }
}

function isFromServer(reader: PacketReader): boolean {
  return reader.limits.direction === 'fromServer';
}

/** Encodes DISCONNECT in its shortest form; before 5.0 without the reason code. */
export function encodeDisconnect(packet: Disconnect, version: ProtocolVersion): Uint8Array {
  const writer = new PacketWriter(version);
  const hasProperties = Object.keys(packet.properties).length > 0;
  if (version === 5 && (packet.reasonCode !== 0 || hasProperties)) {
    writer.byte(packet.reasonCode);
    if (hasProperties) writer.properties(packet.properties, 'disconnect');
  }
  return writer.packet(DISCONNECT_HEADER);
}
