/** From bytes to packets: all fifteen, both directions, all three versions. Never throws. */
import { fail, type Result, succeed } from '@robustmq/errors';
import { readAcknowledgement } from './acknowledgement.ts';
import { readAuth } from './auth.ts';
import { readConnack } from './connack.ts';
import { readConnect } from './connect.ts';
import type { DecodeFault, DecodeLimits } from './decode-fault.ts';
import { readDisconnect } from './disconnect.ts';
import type { Frame } from './hot-path.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { PacketReader } from './packet-reader.ts';
import { type PacketTypeRow, packetTypeOf } from './packet-type.ts';
import { readPingreq, readPingresp } from './ping.ts';
import { readPublish } from './publish.ts';
import { ReasonCode } from './reason-code.ts';
import { readSuback } from './suback.ts';
import { readSubscribe } from './subscribe.ts';
import { readUnsuback } from './unsuback.ts';
import { readUnsubscribe } from './unsubscribe.ts';

/** DUP in the first byte. */
const DUP = 0x08;

/**
 * Decodes the packet that `readFrame` found complete. Strict: what the standard forbids is a fault.
 * The packet shares no memory with `bytes`: strings are new, binary data is copied.
 *
 * Not judged here: the syntax of topic filters, an empty client identifier, and whatever depends on
 * what was sent before (topic aliases, packet identifiers in use, the order of packets).
 *
 * @param version  what CONNECT settled; ignored for CONNECT itself, which says its own
 */
export function decodePacket(
  bytes: Uint8Array,
  frame: Frame,
  version: ProtocolVersion,
  limits: DecodeLimits,
): Result<Packet, DecodeFault> {
  const reader = new PacketReader(bytes, frame, version, limits);
  const row = packetTypeOf(frame.header);
  if (row === null) return fail(RESERVED_TYPE);
  checkHeader(reader, row);
  const packet = readBody(reader, row.kind);
  reader.expectEnd();
  return reader.fault === null ? succeed(packet) : fail(reader.fault);
}

const RESERVED_TYPE: DecodeFault = Object.freeze({
  reasonCode: ReasonCode.malformedPacket,
  reason: 'control packet type 0 is reserved',
  clause: 'MQTT-5.0 §2.1.2',
});

/** Flags, direction and version of the type (MQTT-5.0 §2.1.2, §2.1.3). */
function checkHeader(reader: PacketReader, row: PacketTypeRow): void {
  const flags = reader.header & 0x0f;
  const name = row.kind.toUpperCase();
  const sender = reader.limits.direction === 'fromClient' ? 'client' : 'server';
  if (row.kind === 'auth' && reader.version !== 5) {
    reader.malformed('control packet type 15 is reserved before 5.0', ['', '§2.2.1']);
  } else if (row.flags !== null && flags !== row.flags && !isRepetition(reader, row)) {
    reader.malformed(`the flags of ${name} are ${flags}, not ${row.flags}`, row.clauses);
  } else if (row.sender !== 'both' && row.sender !== sender) {
    reader.protocolError(`a ${sender} does not send ${name}`, ['§2.1.2', '§2.2.1']);
  } else if (row.kind === 'disconnect' && sender === 'server' && reader.version !== 5) {
    reader.protocolError(`a server does not send ${name} before 5.0`, ['', '§2.2.1']);
  }
}

/** Before 3.1.1, PUBREL, SUBSCRIBE and UNSUBSCRIBE carry DUP when they are repeated (MQTT-3.1 §2.1). */
function isRepetition(reader: PacketReader, row: PacketTypeRow): boolean {
  return reader.version === 3 && row.flags === 2 && (reader.header & 0x0f) === (2 | DUP);
}

function readBody(reader: PacketReader, kind: Packet['kind']): Packet {
  switch (kind) {
    case 'connect':
      return readConnect(reader);
    case 'connack':
      return readConnack(reader);
    case 'publish':
      return readPublish(reader);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return readAcknowledgement(reader, kind);
    case 'subscribe':
      return readSubscribe(reader);
    case 'suback':
      return readSuback(reader);
    case 'unsubscribe':
      return readUnsubscribe(reader);
    case 'unsuback':
      return readUnsuback(reader);
    case 'pingreq':
      return readPingreq();
    case 'pingresp':
      return readPingresp();
    case 'disconnect':
      return readDisconnect(reader);
    case 'auth':
      return readAuth(reader);
  }
}
