export type {
  AcceptConnection,
  ByteConnection,
  ClientCertificate,
  CloseCause,
  ConnectionHandler,
  ListenerIdentity,
} from './connection.ts';
export { ListenError } from './listener.ts';
export type {
  Listen,
  Listener,
  ListenerOptions,
  ListenerStats,
  TlsOptions,
  WebSocketOptions,
} from './listener.ts';
