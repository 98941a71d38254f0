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
