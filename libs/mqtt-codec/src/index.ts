export { FrameStatus } from './hot-path.ts';
export type { AcknowledgementFields, Frame, PublishFields } from './hot-path.ts';
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
export { NO_PROPERTIES } from './properties.ts';
export type { Properties } from './properties.ts';
export { ReasonCode } from './reason-code.ts';
