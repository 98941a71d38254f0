/** What a follower does with the leader's log and signs of life (Raft §5.3, Figure 2). */
import { heardLeader } from './election.ts';
import type { Entry } from './entry.ts';
import {
  type EntryId,
  higherIndex,
  type LogIndex,
  lowerIndex,
  offsetIndex,
} from './identifiers.ts';
import { LOG_START, type Term } from './identifiers.ts';
import { appendToLog, truncateLog } from './local-log.ts';
import type { AppendRequest, Heartbeat } from './message.ts';
import { fallAsleepWithLeader } from './quiescence.ts';
import { type RaftState, sendAfterPersist, sendPromisingTerm } from './state.ts';

export function onAppendRequest(state: RaftState, message: AppendRequest): void {
  heardLeader(state, message.from);
  // The log is about to be replaced by a snapshot; the leader asks again after it.
  if (state.incoming?.phase === 'installing') return;
  const { previous } = message;
  // What is committed matches every later leader (Raft §5.4): old news needs no check.
  if (previous.index < state.commitIndex) return accept(state, message, state.commitIndex);
  if (!state.rules.previousMatches(state.log.termAt(previous.index), previous.term)) {
    return reject(state, message);
  }
  storeEntries(state, message.entries);
  const verified = offsetIndex(previous.index, message.entries.length);
  advanceCommit(state, state.rules.followerCommitIndex(message.commitIndex, verified));
  accept(state, message, verified);
}

export function onHeartbeat(state: RaftState, message: Heartbeat): void {
  heardLeader(state, message.from);
  // The leader never names an index beyond what it knows this node to hold.
  advanceCommit(state, message.commitIndex);
  const { id: from, term } = state;
  const { from: to, round } = message;
  sendPromisingTerm(state, { kind: 'heartbeatResponse', from, to, term, round });
  if (message.quiesce) fallAsleepWithLeader(state, message.commitIndex);
}

/** Skips what is there, cuts off what contradicts, appends the rest (Raft Figure 2, steps 3, 4). */
function storeEntries(state: RaftState, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const ownTerm = state.log.termAt(entry.index);
    if (ownTerm !== null) {
      if (!state.rules.conflicts(ownTerm, entry.term)) continue;
      truncateLog(state, offsetIndex(entry.index, -1));
    }
    appendToLog(state, entry);
  }
}

function advanceCommit(state: RaftState, index: LogIndex): void {
  state.commitIndex = higherIndex(state.commitIndex, lowerIndex(index, state.log.lastIndex));
}

/** A promise about the log: it waits for the disk. */
function accept(state: RaftState, message: AppendRequest, matchIndex: LogIndex): void {
  const { id: from, term } = state;
  sendAfterPersist(state, { kind: 'appendAccepted', from, to: message.from, term, matchIndex });
}

function reject(state: RaftState, message: AppendRequest): void {
  const { id: from, term } = state;
  const previousIndex = message.previous.index;
  const conflict = conflictAt(state, previousIndex);
  const to = message.from;
  sendPromisingTerm(state, { kind: 'appendRejected', from, to, term, previousIndex, conflict });
}

/** Lets the leader skip a whole term at once (Raft §5.3, last paragraphs). */
function conflictAt(state: RaftState, index: LogIndex): EntryId {
  const { log } = state;
  if (index > log.lastIndex) {
    return { term: LOG_START.term, index: offsetIndex(log.lastIndex, 1) };
  }
  return { term: log.termAt(index) as Term, index: log.firstIndexOfTermAt(index) };
}
