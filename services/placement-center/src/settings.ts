/** What one process of the placement center is told. Everything is checked. */
export interface PlacementCenterSettings {
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
  readonly tls: TlsSettings | null;
  /** null: callers need not show one. */
  readonly clusterToken: TokenSource | null;
}

export interface RaftSettings {
  readonly tickMs: number;
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
  readonly reads: 'quorum' | 'lease';
  readonly logBytesMax: number;
  readonly logEntriesMax: number;
  readonly slackEntries: number;
}

/** Paths of PEM files; read when the process starts. */
export interface TlsSettings {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly authorityFile: string | null;
  readonly clientCertificate: 'none' | 'required';
}

export type TokenSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string };
