export { variableByteIntegerSize, writeVariableByteInteger } from '@robustmq/bytes';
export {
  AcknowledgementHeader,
  createAcknowledgementFields,
  decodeAcknowledgement,
  writeAcknowledgement,
  writeAcknowledgementWithReason,
} from './acknowledgement-fields.ts';
export { ConnectReturnCode, reasonCodeToConnectReturnCode } from './connect-return-code.ts';
export { connectVersionOf } from './connect.ts';
export { DECODE_FROM_CLIENT, DECODE_FROM_SERVER } from './decode-fault.ts';
export type { DecodeFault, DecodeLimits } from './decode-fault.ts';
export { decodePacket } from './decode-packet.ts';
export { encodePacket } from './encode-packet.ts';
export { createFrame, readFrame } from './frame.ts';
export { FrameStatus } from './hot-path.ts';
export type { AcknowledgementFields, Frame, PublishFields, PublishRules } from './hot-path.ts';
export { isLegalReasonCode } from './legal-reason-codes.ts';
export type {
  Acknowledgement,
  Auth,
  Connack,
  Connect,
  Disconnect,
  Packet,
  Pingreq,
  Pingresp,
  ProtocolVersion,
  Publish,
  Qos,
  Suback,
  Subscribe,
  SubscriptionRequest,
  Unsuback,
  Unsubscribe,
  Will,
} from './packet.ts';
export { encodeProperties } from './packet-writer.ts';
export { NO_PROPERTIES } from './properties.ts';
export type { Properties } from './properties.ts';
export { PropertyIdentifier } from './property-table.ts';
export type { PropertyOwner } from './property-table.ts';
export {
  createPublishFields,
  decodePublish,
  PUBLISH_RULES_FROM_CLIENT,
  PUBLISH_RULES_FROM_SERVER,
} from './publish-fields.ts';
export {
  publishFirstByte,
  publishHeaderSize,
  publishPacketIdentifierOffset,
  publishRemainingLength,
  publishSize,
  writePublishHeader,
} from './publish-header.ts';
export type { PublishShape } from './publish-header.ts';
export { forwardableProperties, forwardablePropertiesSize } from './publish-properties.ts';
export { reasonCodeName } from './reason-code-name.ts';
export { ReasonCode } from './reason-code.ts';
export { validateTopicBytes } from './topic-bytes.ts';
