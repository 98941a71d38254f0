/** How one group behaves. All fields are required: defaults are `defaultRaftOptions`. */
export interface RaftOptions {
  /** A follower that hears no leader for this long, plus a random part of half of it, campaigns. */
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
  /** LIMIT: unanswered append messages to one follower. */
  readonly inflightMessagesMax: number;
  /** LIMIT: unanswered entry bytes to one follower. */
  readonly inflightBytesMax: number;
  /** LIMIT: entry bytes of one append message; a larger entry travels alone. */
  readonly appendBytesMax: number;
  /** LIMIT: bytes of one piece of a snapshot. */
  readonly snapshotChunkBytesMax: number;
  /** LIMIT: entry bytes a leader holds uncommitted before it refuses proposals. */
  readonly uncommittedBytesMax: number;
  /** Entry bytes kept in memory for followers once durable and applied. */
  readonly windowBytesMax: number;
  /** A learner this many entries behind is not promoted. */
  readonly promotionLagMax: number;
  /**
   * `quorum` confirms leadership by a round of heartbeats. `lease` trusts that no clock drifts by
   * more than 10 % and that the driver feeds missed ticks before anything else (thesis §6.4.1).
   */
  readonly reads: 'quorum' | 'lease';
  /** How long after sending a heartbeat that a quorum answered its lease may be used. */
  readonly leaseTicks: number;
  /** An idle leader puts the group to sleep after this many ticks; 0 never. */
  readonly quiesceAfterTicks: number;
}

/** For a tick of 100 ms: elections after 1 to 1.5 s, heartbeats each 200 ms. */
export const defaultRaftOptions: RaftOptions = Object.freeze({
  electionTimeoutTicks: 10,
  heartbeatTicks: 2,
  inflightMessagesMax: 64,
  inflightBytesMax: 4 * 1024 * 1024,
  appendBytesMax: 512 * 1024,
  snapshotChunkBytesMax: 256 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  windowBytesMax: 16 * 1024 * 1024,
  promotionLagMax: 1024,
  reads: 'quorum',
  leaseTicks: leaseTicksFor(10),
  quiesceAfterTicks: 0,
});

/**
 * The longest lease that ends before any follower may vote for another leader when clocks drift by
 * 10 % in opposite directions and a follower's first tick comes at once (Raft thesis §6.4.1):
 * `lease × 1.1 < (election timeout - 1) / 1.1`.
 */
export function leaseTicksFor(electionTimeoutTicks: number): number {
  return Math.floor((electionTimeoutTicks - 1) * 0.8);
}
