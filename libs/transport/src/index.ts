export type {
  AcceptConnection,
  ByteConnection,
  ClientCertificate,
  CloseCause,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
export { listen } from './listen.ts';
export { ListenError } from './listener.ts';
export type {
  Listen,
  Listener,
  ListenerOptions,
  ListenerStats,
  ReportHandlerFault,
  TlsOptions,
  WebSocketOptions,
} from './listener.ts';
export { connectMemoryPair } from './memory-pair.ts';
export type { MemoryPair, MemoryPairOptions } from './memory-pair.ts';
export { isLoopbackAddress } from './peer-address.ts';
export { parseProxyHeader } from './proxy-header.ts';
export type { ProxyHeaderResult } from './proxy-header.ts';
export { probeRawEngine } from './raw-probe.ts';
export type { RawProbe } from './raw-probe.ts';
