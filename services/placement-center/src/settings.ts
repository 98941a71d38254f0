import type { RaftTimes } from '@robustmq/config';
import type { CredentialSettings } from '@robustmq/rpc';

/** What one process of the placement center is told. Everything is checked. */
export interface PlacementCenterSettings extends CredentialSettings {
  readonly clusterName: string;
  readonly nodeId: number;
  readonly version: string;
  readonly directory: string;
  readonly grpc: { readonly host: string; readonly port: number };
  readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number };
  /** Node number to `host:port`, this member included unless it joins. */
  readonly nodes: ReadonlyMap<number, string>;
  readonly start: 'found' | 'join';
  readonly backend:
    | { readonly kind: 'raft' }
    | { readonly kind: 'etcd'; readonly endpoints: readonly string[] };
  readonly leaseCheckMs: number;
  readonly nodeTtlSeconds: number;
  readonly journalServerLostAfterMs: number;
  readonly raft: RaftSettings;
}

export interface RaftSettings extends RaftTimes {
  readonly reads: 'quorum' | 'lease';
  readonly logBytesMax: number;
  readonly logEntriesMax: number;
  readonly slackEntries: number;
}
