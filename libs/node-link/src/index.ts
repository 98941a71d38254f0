export type { FrameEvents, FrameTransport, PeerAddress, SendOutcome } from './frame-transport.ts';
export { FieldWriter, FrameWriter } from './frame-writer.ts';
export { GrpcFrameTransport, type GrpcFrameTransportOptions } from './grpc-frame-transport.ts';
export {
  type FramedMessage,
  type FramedPackets,
  type FrameEntries,
  FrameReader,
  LinkFrameError,
  readFrame,
} from './link-frame.ts';
export { MemoryFrameNetwork } from './memory-frame-transport.ts';
export {
  NodeLink,
  type NodeLinkCounters,
  NodeLinkError,
  type NodeLinkFault,
} from './node-link.ts';
