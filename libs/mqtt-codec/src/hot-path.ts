/**
 * The contract of the hot path: PUBLISH and its acknowledgements are decoded into reused structures
 * of numbers, with no object, string, slice or closure per packet. The functions are in frame.ts,
 * publish-fields.ts, publish-properties.ts, publish-header.ts, topic-bytes.ts and
 * acknowledgement-fields.ts.
 */

/** Where one control packet lies in a buffer. Reused by its owner. */
export interface Frame {
  /** First byte of the fixed header: type and flags. */
  header: number;
  /** First byte of the packet, that is, of its fixed header. */
  start: number;
  bodyStart: number;
  /** One past the last byte of the packet. Known as soon as the length is, even when the bytes are not all there. */
  bodyEnd: number;
}

/** `incomplete`: the length itself is not known yet; `partial`: it is (see `bodyEnd`), the body is not all there. */
export const FrameStatus = { complete: 0, partial: 1, incomplete: 2, malformed: 3 } as const;
/** One of the values of the constant of the same name. */
export type FrameStatus = (typeof FrameStatus)[keyof typeof FrameStatus];

/** What a PUBLISH may carry, depending on who receives it. Copied into the fields at their creation. */
export interface PublishRules {
  /** `refused` in a server (MQTT-5.0 [MQTT-3.3.4-6]), `accepted` in a client. */
  readonly subscriptionIdentifiers: 'refused' | 'accepted';
  /** More user properties than this in one packet are answered with 0x97, quota exceeded. */
  readonly userPropertiesMax: number;
}

/** A PUBLISH in place: offsets into the buffer that was decoded. Made by `createPublishFields` only. */
export interface PublishFields {
  qos: number;
  retain: boolean;
  dup: boolean;
  topicStart: number;
  /** 0 with a topic alias. */
  topicLength: number;
  packetIdentifier: number;
  /** First byte after the property length; equals `propertiesEnd` without properties or before 5.0. */
  propertiesStart: number;
  propertiesEnd: number;
  payloadStart: number;
  payloadEnd: number;
  /** 0 when absent (0 itself is a protocol error). */
  topicAlias: number;
  /** -1 when absent. */
  messageExpirySeconds: number;
  /** True when every property is to be forwarded unchanged: neither topic alias nor message expiry among them. */
  propertiesForwardable: boolean;
  /** -1 when absent; otherwise 0 or 1. */
  payloadFormatIndicator: number;
  /** A rule and no result: see {@link PublishRules}. */
  subscriptionIdentifiersAccepted: boolean;
  /** A rule and no result: see {@link PublishRules}. */
  userPropertiesMax: number;
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP in place. */
export interface AcknowledgementFields {
  packetIdentifier: number;
  reasonCode: number;
}
