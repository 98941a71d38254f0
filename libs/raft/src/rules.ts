/**
 * The decisions on which Raft's safety rests, each one small, pure, and named.
 *
 * Production uses {@link RAFT_RULES}, a frozen constant. They stand apart from the code that asks
 * them for two reasons: a reader finds every safety argument on one page, and the simulator proves
 * that it would notice the absence of each by replacing it with a wrong one.
 */
import { type Configuration, isJoint } from './configuration.ts';
import { type EntryId, type LogIndex, lowerIndex, type NodeId, type Term } from './identifiers.ts';
import type { QuorumHalves } from './quorum.ts';

/** A configuration and where the log introduced it. */
export interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

export interface RaftRules {
  /** One vote a term, first come first served (Raft §5.2). */
  mayVoteFor(candidate: NodeId, votedFor: NodeId | null): boolean;
  /** Only a log at least as complete as one's own deserves a vote (Raft §5.4.1). */
  isUpToDate(candidate: EntryId, own: EntryId): boolean;
  /** No vote while a leader was heard of within the election timeout (Raft thesis §4.2.3). */
  refusesVote(leaderHeardTicksLeft: number): boolean;
  /** After a restart one may have promised a lease that one forgot (Raft thesis §6.4.1). */
  refusalTicksAfterRestart(reads: 'quorum' | 'lease', electionTimeoutTicks: number): number;
  /** The consistency check of AppendEntries (Raft §5.3). */
  previousMatches(ownTerm: Term | null, previousTerm: Term): boolean;
  /** An entry is replaced when it has another term, and never otherwise (Raft Figure 2). */
  conflicts(ownTerm: Term, entryTerm: Term): boolean;
  /** A follower commits no further than the entries it verified (Raft Figure 2). */
  followerCommitIndex(leaderCommitIndex: LogIndex, verifiedIndex: LogIndex): LogIndex;
  /** A heartbeat names no index that its receiver might hold another entry at (Raft §5.3). */
  heartbeatCommitIndex(commitIndex: LogIndex, matchIndex: LogIndex): LogIndex;
  /** Only an entry of the leader's own term is committed by counting (Raft §5.4.2, Figure 8). */
  commitsByCounting(entryTerm: Term, leaderTerm: Term): boolean;
  /** A leader counts itself for what its own disk holds (Raft thesis §10.2.1). */
  ownMatchIndex(durableIndex: LogIndex, lastIndex: LogIndex): LogIndex;
  /** A message of an earlier term says nothing about this one (Raft §5.1). */
  isCurrent(messageTerm: Term, ownTerm: Term): boolean;
  /** While joint, either half can stop a decision (Raft thesis §4.3). */
  halvesOf(configuration: Configuration): QuorumHalves;
  /**
   * One membership change at a time, and none before the leader committed in its own term, or two
   * leaders may act on configurations that do not intersect (Raft thesis §4.1, §4.3).
   */
  mayChangeMembership(facts: MembershipFacts): boolean;
  /** A configuration is in force from its append on, committed or not (Raft thesis §4.1). */
  configurationInForce(placed: readonly PlacedConfiguration[]): Configuration;
  /** A snapshot carries the configuration as of its last entry (Raft §7). */
  configurationAt(placed: readonly PlacedConfiguration[], index: LogIndex): Configuration;
  /** A log suffix outlives a snapshot only if it continues it (Raft Figure 13, step 6). */
  keepsSuffix(ownTerm: Term | null, snapshotTerm: Term): boolean;
  /** The commit index is a read index once it covers the leader's term (Raft thesis §6.4). */
  mayReadAtCommitIndex(commitTerm: Term | null, leaderTerm: Term): boolean;
  /** A leader may have been deposed without knowing (Raft thesis §6.4). */
  readNeedsConfirmation(leaseValid: boolean): boolean;
  /** A lease runs from the sending of the heartbeat, not from its answer (Raft thesis §6.4.1). */
  leaseHolds(ticksSinceSent: number, leaseTicks: number): boolean;
  /** What is applied is committed, and on this disk, or a restart would meet a hole in the log. */
  applicableIndex(commitIndex: LogIndex, durableIndex: LogIndex): LogIndex;
}

export interface MembershipFacts {
  readonly configuration: Configuration;
  /** Where the configuration in force was appended. */
  readonly placedIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly commitTerm: Term | null;
  readonly leaderTerm: Term;
}

export const RAFT_RULES: RaftRules = Object.freeze({
  mayVoteFor: (candidate: NodeId, votedFor: NodeId | null): boolean =>
    votedFor === null || votedFor === candidate,

  isUpToDate: (candidate: EntryId, own: EntryId): boolean =>
    candidate.term > own.term || (candidate.term === own.term && candidate.index >= own.index),

  refusesVote: (leaderHeardTicksLeft: number): boolean => leaderHeardTicksLeft > 0,

  refusalTicksAfterRestart: (reads: 'quorum' | 'lease', electionTimeoutTicks: number): number =>
    reads === 'lease' ? electionTimeoutTicks : 0,

  previousMatches: (ownTerm: Term | null, previousTerm: Term): boolean => ownTerm === previousTerm,

  conflicts: (ownTerm: Term, entryTerm: Term): boolean => ownTerm !== entryTerm,

  followerCommitIndex: lowerIndex,

  heartbeatCommitIndex: lowerIndex,

  commitsByCounting: (entryTerm: Term, leaderTerm: Term): boolean => entryTerm === leaderTerm,

  ownMatchIndex: (durableIndex: LogIndex): LogIndex => durableIndex,

  isCurrent: (messageTerm: Term, ownTerm: Term): boolean => messageTerm === ownTerm,

  halvesOf: (configuration: Configuration): QuorumHalves =>
    isJoint(configuration)
      ? [configuration.voters, configuration.outgoing]
      : [configuration.voters],

  mayChangeMembership: (facts: MembershipFacts): boolean =>
    !isJoint(facts.configuration) &&
    facts.placedIndex <= facts.commitIndex &&
    facts.commitTerm === facts.leaderTerm,

  configurationInForce: (placed: readonly PlacedConfiguration[]): Configuration =>
    (placed.at(-1) as PlacedConfiguration).configuration,

  configurationAt: (placed: readonly PlacedConfiguration[], index: LogIndex): Configuration =>
    (placed.findLast((each) => each.index <= index) as PlacedConfiguration).configuration,

  keepsSuffix: (ownTerm: Term | null, snapshotTerm: Term): boolean => ownTerm === snapshotTerm,

  mayReadAtCommitIndex: (commitTerm: Term | null, leaderTerm: Term): boolean =>
    commitTerm === leaderTerm,

  readNeedsConfirmation: (leaseValid: boolean): boolean => !leaseValid,

  leaseHolds: (ticksSinceSent: number, leaseTicks: number): boolean => ticksSinceSent < leaseTicks,

  applicableIndex: lowerIndex,
});
