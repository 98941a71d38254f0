/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP in place (MQTT-5.0 §3.4 to §3.7). Hot path: no allocation, no
 * exception.
 */
import { readVariableByteInteger, variableByteIntegerSize } from '@robustmq/bytes';
import type { AcknowledgementFields, Frame } from './hot-path.ts';
import type { ProtocolVersion } from './packet.ts';
import { PropertyIdentifier } from './property-table.ts';
import { ReasonCode } from './reason-code.ts';
import { isLegalReasonCode } from './legal-reason-codes.ts';
import { stepOverText, stepOverTextPair } from './step-over.ts';

/** First bytes of the four acknowledgements: type and the flags each must have. */
export const AcknowledgementHeader = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62, // MQTT-5.0 [MQTT-3.6.1-1]
  pubcomp: 0x70,
} as const;

/** PUBREL as MQTT 3.1 repeats it: with DUP (MQTT-3.1 §2.1). */
const PUBREL_REPEATED = 0x6a;

/** Fields to be filled by {@link decodeAcknowledgement} again and again. */
export function createAcknowledgementFields(): AcknowledgementFields {
  return { packetIdentifier: 0, reasonCode: 0 };
}

/**
 * Decodes the PUBACK, PUBREC, PUBREL or PUBCOMP that `readFrame` found complete; the type is in
 * `frame.header`. An absent reason code is 0 (MQTT-5.0 §3.4.2.1).
 *
 * @returns 0 or the reason code of the fault; `decodePacket` of the same frame has it in words
 */
export function decodeAcknowledgement(
  bytes: Uint8Array,
  frame: Frame,
  version: ProtocolVersion,
  fields: AcknowledgementFields,
): number {
  if (!hasLegalFlags(frame.header, version)) return ReasonCode.malformedPacket;
  const at = frame.bodyStart;
  const end = frame.bodyEnd;
  const length = end - at;
  if (length < 2) return ReasonCode.malformedPacket;
  const packetIdentifier = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (packetIdentifier === 0) return ReasonCode.protocolError; // MQTT-5.0 [MQTT-2.2.1-3]
  fields.packetIdentifier = packetIdentifier;
  fields.reasonCode = 0;
  if (length === 2) return 0;
  if (version !== 5) return ReasonCode.malformedPacket; // MQTT-3.1.1 §3.4.1: the length is 2.
  const reasonCode = bytes[at + 2] as number;
  fields.reasonCode = reasonCode;
  if (reasonCode !== 0 && !isLegalIn(frame.header, reasonCode)) return ReasonCode.protocolError;
  return length === 3 ? 0 : scanProperties(bytes, at + 3, end);
}

function hasLegalFlags(header: number, version: ProtocolVersion): boolean {
  switch (header) {
    case AcknowledgementHeader.puback:
    case AcknowledgementHeader.pubrec:
    case AcknowledgementHeader.pubrel:
    case AcknowledgementHeader.pubcomp:
      return true;
    default:
      return header === PUBREL_REPEATED && version === 3;
  }
}

function isLegalIn(header: number, reasonCode: number): boolean {
  return header < 0x60 // PUBACK and PUBREC share one table, PUBREL and PUBCOMP the other.
    ? isLegalReasonCode('puback', reasonCode) // MQTT-5.0 [MQTT-3.4.2-1], [MQTT-3.5.2-1]
    : isLegalReasonCode('pubrel', reasonCode); // MQTT-5.0 [MQTT-3.6.2-1], [MQTT-3.7.2-1]
}

/** Reason string at most once, user properties in any number (MQTT-5.0 §3.4.2.2). */
function scanProperties(bytes: Uint8Array, at: number, end: number): number {
  const length = readVariableByteInteger(bytes, at, end);
  if (length < 0) return ReasonCode.malformedPacket;
  let offset = at + variableByteIntegerSize(length);
  const listEnd = offset + length;
  if (listEnd > end) return ReasonCode.malformedPacket;
  let reasonStrings = 0;
  while (offset < listEnd) {
    const identifier = bytes[offset];
    if (identifier === PropertyIdentifier.userProperty) {
      offset = stepOverTextPair(bytes, offset + 1, listEnd);
    } else if (identifier === PropertyIdentifier.reasonString) {
      reasonStrings += 1;
      if (reasonStrings > 1) return ReasonCode.protocolError; // MQTT-5.0 §3.4.2.2.2
      offset = stepOverText(bytes, offset + 1, listEnd);
    } else {
      return ReasonCode.malformedPacket; // MQTT-5.0 §2.2.2.2
    }
    if (offset < 0) return -offset;
  }
  return listEnd === end ? 0 : ReasonCode.malformedPacket;
}

/**
 * Writes an acknowledgement of success, four bytes that all versions share, and returns the offset
 * after it. The caller has made room.
 *
 * @param header  one of {@link AcknowledgementHeader}
 */
export function writeAcknowledgement(
  target: Uint8Array,
  at: number,
  header: number,
  packetIdentifier: number,
): number {
  target[at] = header;
  target[at + 1] = 2;
  target[at + 2] = packetIdentifier >>> 8;
  target[at + 3] = packetIdentifier & 0xff;
  return at + 4;
}

/** {@link writeAcknowledgement} with a reason code and no properties: five bytes, 5.0 only. */
export function writeAcknowledgementWithReason(
  target: Uint8Array,
  at: number,
  header: number,
  packetIdentifier: number,
  reasonCode: number,
): number {
  target[at] = header;
  target[at + 1] = 3;
  target[at + 2] = packetIdentifier >>> 8;
  target[at + 3] = packetIdentifier & 0xff;
  target[at + 4] = reasonCode;
  return at + 5;
}
