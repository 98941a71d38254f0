/** How a node comes to life: for the first time, or from what its disk kept. */
import { assert } from '@robustmq/errors';
import { type Configuration, NO_CONFIGURATION } from './configuration.ts';
import { restartElectionTimer } from './election.ts';
import type { Entry, MembershipEntry } from './entry.ts';
import {
  type EntryId,
  higherIndex,
  LOG_START,
  type LogIndex,
  type NodeId,
  type PersistNumber,
  type Term,
} from './identifiers.ts';
import { refreshConfiguration } from './local-log.ts';
import { type EarlierEntries, logOf, RaftLog } from './log.ts';
import type { SnapshotMetadata } from './message.ts';
import type { RaftOptions } from './options.ts';
import { type HardState, newOutputDraft } from './output.ts';
import { type PlacedConfiguration, RAFT_RULES, type RaftRules } from './rules.ts';
import type { RaftState } from './state.ts';

/** What a node brings along. Everything in it is durable. */
export interface RaftStart {
  readonly id: NodeId;
  readonly options: RaftOptions;
  /** Of the election jitter; any number, best a different one on each node. */
  readonly seed: number;
  readonly hardState: HardState;
  /** The newest snapshot; see {@link bootstrapSnapshot} for a node that has none. */
  readonly snapshot: SnapshotMetadata;
  /** Where the log on disk begins: the entry before its first. */
  readonly logBase: EntryId;
  /** What stands directly after `logBase` and is applied, by its terms and memberships alone. */
  readonly earlier?: EarlierEntries & { readonly memberships: readonly MembershipEntry[] };
  /** Everything after `earlier`, ascending; read once. */
  readonly entries: Iterable<Entry>;
  /** Up to where the state machine has applied; at least the snapshot's index. */
  readonly appliedIndex: LogIndex;
}

export const NO_HARD_STATE: HardState = Object.freeze({ term: 0 as Term, votedFor: null });

/**
 * The state before the first entry of a group.
 *
 * @param configuration  the founding voters, the same on each of them; `null` for a node that joins
 *                       an existing group and waits to be told
 */
export function bootstrapSnapshot(configuration: Configuration | null): SnapshotMetadata {
  return { last: LOG_START, configuration: configuration ?? NO_CONFIGURATION };
}

export function newRaftState(start: RaftStart): RaftState {
  return newRaftStateWithRules(start, RAFT_RULES);
}

/** For the simulator's proof that it notices a broken rule; everyone else calls the one above. */
export function newRaftStateWithRules(start: RaftStart, rules: RaftRules): RaftState {
  const { id, options, snapshot, hardState } = start;
  const placed: PlacedConfiguration[] = [
    { index: snapshot.last.index, configuration: snapshot.configuration },
  ];
  const log = recoveredLog(start, placed);
  const commitIndex = higherIndex(snapshot.last.index, start.appliedIndex);
  assert(
    commitIndex <= log.lastIndex,
    `applied ${commitIndex}, but the log ends at ${log.lastIndex}`,
  );
  const state: RaftState = {
    id,
    options,
    rules,
    randomState: start.seed | 0,
    term: hardState.term,
    votedFor: hardState.votedFor,
    role: { kind: 'follower', leader: null },
    log,
    configurations: placed,
    configuration: snapshot.configuration,
    snapshot,
    incoming: null,
    commitIndex,
    deliveredIndex: commitIndex,
    durableIndex: log.lastIndex,
    pendingPersists: [],
    lastPersist: 0 as PersistNumber,
    persistedThrough: 0 as PersistNumber,
    hardStateIn: 0 as PersistNumber,
    electionElapsedTicks: 0,
    electionAfterTicks: 0,
    leaderHeardTicksLeft: rules.refusalTicksAfterRestart(
      options.reads,
      options.electionTimeoutTicks,
    ),
    heartbeatElapsedTicks: 0,
    quiescent: false,
    forwardedReads: [],
    draft: newOutputDraft(),
  };
  refreshConfiguration(state);
  restartElectionTimer(state);
  // The first step makes it durable that the old log is gone.
  if (log.base.index !== start.logBase.index) state.draft.resetTo = log.base;
  return state;
}

/**
 * A crash between the two steps of a snapshot's installation leaves a log that does not reach or
 * contradicts the snapshot: it is dropped, as the second step would have (Raft Figure 13, step 7).
 * Until that is durable each start decides the same again.
 */
function recoveredLog(start: RaftStart, placed: PlacedConfiguration[]): RaftLog {
  const { snapshot, logBase } = start;
  assert(logBase.index <= snapshot.last.index, 'the log begins after the snapshot ends');
  const memberships: MembershipEntry[] = [...(start.earlier?.memberships ?? [])];
  const kept = higherIndex(snapshot.last.index, start.appliedIndex);
  const entries = watched(start.entries, memberships);
  const log = logOf({ base: logBase, earlier: start.earlier ?? null, entries }, kept);
  if (log.termAt(snapshot.last.index) !== snapshot.last.term) return new RaftLog(snapshot.last);
  for (const entry of memberships) {
    if (entry.index <= snapshot.last.index) continue;
    placed.push({ index: entry.index, configuration: entry.configuration });
  }
  return log;
}

/** Passes entries on and keeps the membership entries among them. */
function* watched(source: Iterable<Entry>, memberships: MembershipEntry[]): Iterable<Entry> {
  for (const entry of source) {
    if (entry.kind === 'membership') memberships.push(entry);
    yield entry;
  }
}
