import type { RpcServer } from '@robustmq/rpc';
import type { PlacementCenterSettings } from './settings.ts';

/** Something that listens, as the process file tells it. */
export interface PlacementListener {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly port: number;
}

/** One member of the placement center as a process. `start` once, `stop` once. */
export interface PlacementCenter {
  /** Recovers what is stored and serves. A member that joins serves before it belongs. @throws when it can't: a sentence */
  start(): Promise<void>;
  /** Hands over the leadership, ends calls, closes. */
  stop(): Promise<void>;
  readonly listeners: readonly PlacementListener[];
  /** `host:port` of the HTTP side, or null. */
  readonly httpAddress: string | null;
  /** Resolves when the process must end by itself, with the sentence for the operator. */
  readonly failed: Promise<Error>;
}

export function listenersOf(
  { tls, grpc }: PlacementCenterSettings,
  server: RpcServer | null,
): readonly PlacementListener[] {
  if (server === null) return [];
  const kind = tls === null ? 'grpc' : 'grpc-tls';
  return [{ name: 'grpc', kind, address: grpc.host, port: server.port }];
}
