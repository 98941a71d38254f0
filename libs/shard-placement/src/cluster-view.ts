/** A shard as far as a decision about its place needs it. */
export interface ShardView {
  /** Unique; decides nothing but ties. */
  readonly name: string;
  /** How many replicas it should have, from 1. */
  readonly wanted: number;
  /** Node ids of the servers that should hold it; empty before it has a place. */
  readonly replicas: readonly number[];
  readonly preferredLeader: number | null;
  /** What its leader told last; null: nobody has led it yet. */
  readonly observed: ObservedMembers | null;
}

/** The members of a shard's group, as its leader told. */
export interface ObservedMembers {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

/** Everything that decisions about places are made from. */
export interface ClusterView {
  readonly shards: readonly ShardView[];
  /** Servers that are registered now. */
  readonly alive: ReadonlySet<number>;
  /**
   * Servers that have been away for longer than a restart takes. One that is in neither set is waited
   * for: nothing is moved from it, and nothing to it.
   */
  readonly lost: ReadonlySet<number>;
  /**
   * Servers whose disk takes nothing more. They keep what they hold, get nothing new, and lead only what
   * nobody else could.
   */
  readonly full: ReadonlySet<number>;
}

/** Where a shard should be from now on. */
export interface Placing {
  readonly shard: string;
  readonly replicas: readonly number[];
  readonly preferredLeader: number | null;
  /** For the log: what happens, and why. */
  readonly reason: string;
}

/** Whether the group is what the record asks for: nobody comes, nobody goes. */
export function isSettled(shard: ShardView): boolean {
  const { observed, replicas } = shard;
  if (observed === null || observed.learners.length > 0) return false;
  return (
    observed.voters.length === replicas.length &&
    replicas.every((node) => observed.voters.includes(node))
  );
}

/** Whether the group can decide anything: a majority of its voters is registered. */
export function hasMajority(shard: ShardView, alive: ReadonlySet<number>): boolean {
  const voters = shard.observed?.voters ?? shard.replicas;
  return voters.filter((node) => alive.has(node)).length * 2 > voters.length;
}
