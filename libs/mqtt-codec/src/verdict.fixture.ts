/** One look at bytes with everything that decodes, for fuzzing: what disagrees or breaks a promise. */
import { isDeepStrictEqual } from 'node:util';
import { createAcknowledgementFields, decodeAcknowledgement } from './acknowledgement-fields.ts';
import { DECODE_FROM_CLIENT, DECODE_FROM_SERVER, type DecodeFault } from './decode-fault.ts';
import { decodePacket } from './decode-packet.ts';
import { encodePacket } from './encode-packet.ts';
import { createFrame, readFrame } from './frame.ts';
import { type Frame, FrameStatus } from './hot-path.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import {
  createPublishFields,
  decodePublish,
  PUBLISH_RULES_FROM_CLIENT,
  PUBLISH_RULES_FROM_SERVER,
} from './publish-fields.ts';
import { ReasonCode } from './reason-code.ts';
import { validateTopicBytes } from './topic-bytes.ts';

/** Where the bytes come from. */
export interface Origin {
  readonly version: ProtocolVersion;
  readonly direction: 'fromClient' | 'fromServer';
}

/** `broken` names the promise that was broken, null when none was. */
export interface Verdict {
  readonly outcome: 'noFrame' | 'accepted' | 'rejected';
  readonly broken: string | null;
  readonly packet: Packet | null;
}

const CLAUSE = /^MQTT-(5\.0|3\.1\.1) (§[\d.]+|\[MQTT-[\d.-]+\])$/;
const REASON_CODES: ReadonlySet<number> = new Set([
  ReasonCode.malformedPacket,
  ReasonCode.protocolError,
  ReasonCode.unsupportedProtocolVersion,
  ReasonCode.clientIdentifierNotValid,
  ReasonCode.topicNameInvalid,
  ReasonCode.topicAliasInvalid,
  ReasonCode.quotaExceeded,
]);

/** Decodes the packet at the start of `bytes` in every way there is. */
export function examine(bytes: Uint8Array, origin: Origin): Verdict {
  const frame = createFrame();
  const status = readFrame(bytes, 0, bytes.length, frame);
  if (status !== FrameStatus.complete) return { outcome: 'noFrame', broken: null, packet: null };
  const limits = origin.direction === 'fromClient' ? DECODE_FROM_CLIENT : DECODE_FROM_SERVER;
  const result = decodePacket(bytes, frame, origin.version, limits);
  if (!result.ok) {
    const broken = brokenFault(result.fault) ?? disagreement(bytes, frame, origin, result.fault);
    return { outcome: 'rejected', broken, packet: null };
  }
  const packet = result.value;
  const broken = disagreement(bytes, frame, origin, null) ?? brokenRoundTrip(packet, origin);
  return { outcome: 'accepted', broken, packet };
}

function brokenFault(fault: DecodeFault): string | null {
  if (!REASON_CODES.has(fault.reasonCode)) return `undeclared reason code ${fault.reasonCode}`;
  if (!CLAUSE.test(fault.clause)) return `${fault.reason}: no clause but "${fault.clause}"`;
  return fault.reason.length === 0 ? 'a fault without a reason' : null;
}

/** Whatever is accepted is encoded and accepted again, as the same packet. */
function brokenRoundTrip(packet: Packet, origin: Origin): string | null {
  const version = packet.kind === 'connect' ? packet.version : origin.version;
  const encoded = encodePacket(packet, version);
  const frame = createFrame();
  if (readFrame(encoded, 0, encoded.length, frame) !== FrameStatus.complete)
    return 'no frame again';
  const limits = origin.direction === 'fromClient' ? DECODE_FROM_CLIENT : DECODE_FROM_SERVER;
  const again = decodePacket(encoded, frame, version, limits);
  if (!again.ok) return `rejected what it encoded: ${again.fault.reason}`;
  return isDeepStrictEqual(again.value, packet) ? null : 'another packet after a round trip';
}

/** The hot path must judge as the objects do. */
function disagreement(
  bytes: Uint8Array,
  frame: Frame,
  origin: Origin,
  fault: DecodeFault | null,
): string | null {
  const code = fault?.reasonCode ?? 0;
  const type = frame.header >> 4;
  if (type === 3) return publishDisagreement(bytes, frame, origin, code);
  if (type < 4 || type > 7) return null;
  const fields = createAcknowledgementFields();
  const found = decodeAcknowledgement(bytes, frame, origin.version, fields);
  // The hot path keeps no user properties and so has no limit for them.
  if (found === code || code === ReasonCode.quotaExceeded) return null;
  return `acknowledgement: ${found} in place, ${code} as an object`;
}

function publishDisagreement(
  bytes: Uint8Array,
  frame: Frame,
  origin: Origin,
  code: number,
): string | null {
  const rules =
    origin.direction === 'fromClient' ? PUBLISH_RULES_FROM_CLIENT : PUBLISH_RULES_FROM_SERVER;
  const fields = createPublishFields(rules);
  const found = decodePublish(bytes, frame, origin.version, fields);
  if (found === 0 && fields.topicLength > 0) {
    const topic = validateTopicBytes(bytes, fields.topicStart, fields.topicLength);
    return topic === code ? null : `topic: ${topic} in place, ${code} as an object`;
  }
  // The object decoder looks into the topic name first, and may find 0x81 there.
  if (found === code || (found !== 0 && code === ReasonCode.malformedPacket)) return null;
  return `publish: ${found} in place, ${code} as an object`;
}
