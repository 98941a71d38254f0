/**
 * The planted bugs that prove the simulator: each is one mistake that Raft implementations really
 * made, in one rule of the core or one duty of the driver.
 */
import { assert } from '@robustmq/errors';
import { type Configuration, type EntryId, RAFT_RULES, type RaftRules } from '@robustmq/raft';
import { type BugSwitches, NO_BUGS } from './bugs.ts';

export interface Mutant {
  readonly name: string;
  readonly rules: RaftRules;
  readonly bugs: BugSwitches;
}

const noVoters: Configuration = { voters: [], outgoing: [], learners: [], learnersNext: [] };

export const mutants: readonly Mutant[] = [
  // The duties of the driver: disk, state machine, reads.
  ofDriver('acknowledge before the flush', { answersBeforeFlush: true }),
  ofDriver('report the flush early', { reportsFlushEarly: true }),
  ofDriver('vote not stored', { forgetsVote: true }),
  ofDriver('term not stored', { forgetsTerm: true }),
  ofDriver('ignored checksum', { ignoresChecksum: true }),
  ofDriver('failed flush tried again', { retriesFailedFlush: true }),
  ofDriver('full disk ignored', { ignoresFullDisk: true }),
  ofDriver('stale tail kept on disk', { keepsStaleTail: true }),
  ofDriver('log reset not stored', { ignoresLogReset: true }),
  ofDriver('compaction before the snapshot', { compactsBeforeSnapshotIsDurable: true }),
  ofDriver('wiped node returns as itself', { wipedNodeReturns: true }),
  ofDriver('retries applied', { appliesRetries: true }),
  ofDriver('snapshot without outcomes', { snapshotWithoutOutcomes: true }),
  ofDriver('read before applied', { readsBeforeApplied: true }),
  ofDriver('read from the leader alone', { readsLocally: true }),
  ofDriver('acknowledge on append', { acknowledgesOnAppend: true }),
  ofDriver('machine kept on install', { keepsMachineOnInstall: true }),
  ofDriver('entry skipped on replay', { skipsEntryOnReplay: true }),
  ofDriver('missed ticks dropped', { dropsMissedTicks: true }),
  ofDriver('snapshot without history', { snapshotWithoutHistory: true }),
  ofDriver('lease kept beyond its end', { keepsEndingLeases: true }),
  ofDriver('lease without grace', { newLeaderGivesNoGrace: true }),
  ofDriver('repeated grant revives a lease', { repeatedGrantRevives: true }),
  ofDriver('watch resumes one late', { watchesResumeLate: true }),
  ofDriver('snapshot without producers', { snapshotWithoutProducers: true }),
  ofDriver('repeated appends written', { appendsRepetitions: true }),
  // The rules of the core.
  ofRule('two votes in a term', { mayVoteFor: () => true }),
  ofRule('vote for a shorter log', { isUpToDate: (candidate, own) => candidate.term >= own.term }),
  ofRule('vote by length alone', { isUpToDate: byLengthAlone }),
  ofRule('vote against the lease', { refusesVote: () => false }),
  ofRule('no check of the previous entry', { previousMatches: (ownTerm) => ownTerm !== null }),
  ofRule('conflict not truncated', { conflicts: () => false }),
  ofRule('truncation without term check', { conflicts: () => true }),
  ofRule('heartbeat commits beyond the match', {
    heartbeatCommitIndex: (commitIndex) => commitIndex,
  }),
  ofRule('old term committed by counting', { commitsByCounting: () => true }),
  ofRule('leader counts what it has not flushed', { ownMatchIndex: (_durable, last) => last }),
  ofRule('answers of earlier terms counted', { isCurrent: () => true }),
  ofRule('joint: new half decides', { halvesOf: ({ voters }) => [voters] }),
  ofRule('joint: old half decides', {
    halvesOf: ({ voters, outgoing }) => [outgoing.length > 0 ? outgoing : voters],
  }),
  ofRule('overlapping membership changes', { mayChangeMembership: () => true }),
  ofRule('snapshot without configuration', { configurationAt: () => noVoters }),
  ofRule('snapshot keeps a foreign suffix', { keepsSuffix: (ownTerm) => ownTerm !== null }),
  ofRule('read before the first commit', { mayReadAtCommitIndex: () => true }),
  ofRule('read without a quorum', { readNeedsConfirmation: () => false }),
  ofRule('lease without end', { leaseHolds: () => true }),
  ofRule('restart forgets the lease', { refusalTicksAfterRestart: () => 0 }),
  ofRule('applied before durable', { applicableIndex: (commitIndex) => commitIndex }),
];

export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((each) => each.name === name);
  assert(mutant !== undefined, `no planted bug is called "${name}"`);
  return mutant;
}

function ofDriver(name: string, bugs: Partial<BugSwitches>): Mutant {
  return { name, rules: RAFT_RULES, bugs: { ...NO_BUGS, ...bugs } };
}

function ofRule(name: string, rules: Partial<RaftRules>): Mutant {
  return { name, rules: { ...RAFT_RULES, ...rules }, bugs: NO_BUGS };
}

function byLengthAlone(candidate: EntryId, own: EntryId): boolean {
  return candidate.index >= own.index;
}
