/** Where the replicas of shards are, as far as it is known without asking a journal server. */
export interface ShardPlaces {
  /** As `host:port`, the most likely leader first; empty while none is known. `shard` is `namespace/shard`. */
  candidatesOf(shard: string): readonly string[];
  /** Of the shard as it should be now; 0: not known. */
  lifeOf(shard: string): number;
  /** Ends what keeps it up to date. Idempotent. */
  close(): void;
}

/** A list that somebody wrote down: every server may have every shard. @param servers  at least one */
export function staticPlaces(servers: readonly string[]): ShardPlaces {
  const candidates = [...new Set(servers)];
  return { candidatesOf: () => candidates, lifeOf: () => 0, close: () => {} };
}
