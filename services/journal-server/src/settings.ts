import type { RaftTimes } from '@robustmq/config';
import type { CredentialSettings } from '@robustmq/rpc';

/** What a journal server is told. Everything is checked. */
export interface JournalServerSettings extends CredentialSettings {
  readonly clusterName: string;
  readonly nodeId: number;
  readonly version: string;
  readonly directory: string;
  readonly grpc: { readonly host: string; readonly port: number };
  readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number };
  /** Node number to `host:port`; may lack this server and others. */
  readonly nodes: ReadonlyMap<number, string>;
  /** As `host:port`; at least one. */
  readonly placementCenter: readonly string[];
  readonly nodeTtlSeconds: number;
  /** How the replicas of a shard agree. */
  readonly raft: RaftTimes;
  readonly segmentBytesMax: number;
  readonly diskFreeBytesMin: number;
  readonly cacheBytesMax: number;
  /** Of all shards together; 0: none. */
  readonly scrubBytesPerSecond: number;
}
