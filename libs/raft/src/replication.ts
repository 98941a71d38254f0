/**
 * From the leader's log to a follower: pipelined, within limits, from memory when possible.
 *
 * Entries leave before the leader's own disk has them (Raft thesis §10.2.1). A lost message is
 * noticed by the rejection of the next, or by a heartbeat answered without progress.
 */
import { type Entry, entryBytes } from './entry.ts';
import { type NodeId, offsetIndex } from './identifiers.ts';
import type { Progress } from './progress.ts';
import { startSnapshot } from './snapshot.ts';
import { type LeaderRole, type RaftState, send } from './state.ts';

export function replicateToAll(state: RaftState, leader: LeaderRole): void {
  for (const to of leader.progress.keys()) sendEntries(state, leader, to);
}

/** Sends whatever the limits allow; nothing when the follower has everything. */
export function sendEntries(state: RaftState, leader: LeaderRole, to: NodeId): void {
  const progress = leader.progress.get(to);
  if (progress === undefined) return;
  while (mayCarryEntries(state, progress)) {
    if (state.log.termAt(offsetIndex(progress.nextIndex, -1)) === null) {
      startSnapshot(state, to, progress); // What the follower lacks is compacted away (Raft §7).
      return;
    }
    if (progress.nextIndex > state.log.lastIndex) return;
    const entries = state.log.slice(progress.nextIndex, state.options.appendBytesMax);
    if (entries === null) return askForEntries(state, to, progress);
    sendAppend(state, to, progress, entries);
  }
}

/** Without entries: tells the commit index, and finds out whether anything was lost. */
export function sendEmptyAppend(state: RaftState, to: NodeId, progress: Progress): void {
  if (state.log.termAt(offsetIndex(progress.nextIndex, -1)) !== null) {
    sendAppend(state, to, progress, []);
  } else if (progress.mode !== 'snapshot') {
    // Compaction overtook what is in flight, and an answer was lost: see
    // testdata/snapshot_overtakes_pipeline.txt.
    startSnapshot(state, to, progress);
  }
}

/**
 * Followers learn the commit index with the next entries; only one that waits for none is told by
 * a message of its own, so that it can apply without waiting for the next heartbeat.
 */
export function tellCommitIndex(state: RaftState, leader: LeaderRole): void {
  for (const [to, progress] of leader.progress) tellCommitIndexTo(state, to, progress);
}

export function tellCommitIndexTo(state: RaftState, to: NodeId, progress: Progress): void {
  const idle = progress.mode === 'replicate' && progress.inflightCount === 0;
  if (idle && progress.toldCommitIndex < state.commitIndex) sendEmptyAppend(state, to, progress);
}

/** The entries asked for by {@link askForEntries} arrived from disk. */
export function onLogRead(state: RaftState, to: NodeId, entries: readonly Entry[]): void {
  const { role: leader, log } = state;
  if (leader.kind !== 'leader') return;
  const progress = leader.progress.get(to);
  if (progress === undefined || !progress.readingLog) return;
  progress.readingLog = false;
  const isWanted =
    entries[0]?.index === progress.nextIndex &&
    entries.every((entry) => log.termAt(entry.index) === entry.term) &&
    log.termAt(offsetIndex(progress.nextIndex, -1)) !== null;
  if (isWanted && mayCarryEntries(state, progress)) sendAppend(state, to, progress, entries);
  sendEntries(state, leader, to);
}

function mayCarryEntries(state: RaftState, progress: Progress): boolean {
  if (progress.readingLog) return false;
  const { inflightMessagesMax, inflightBytesMax } = state.options;
  switch (progress.mode) {
    case 'probe':
      return !progress.paused;
    case 'replicate':
      return progress.hasRoom(inflightMessagesMax, inflightBytesMax);
    case 'snapshot':
      return false;
  }
}

function askForEntries(state: RaftState, to: NodeId, progress: Progress): void {
  progress.readingLog = true;
  const { nextIndex: from } = progress;
  state.draft.logReads.push({ to, from, bytesMax: state.options.appendBytesMax });
}

function sendAppend(
  state: RaftState,
  to: NodeId,
  progress: Progress,
  entries: readonly Entry[],
): void {
  const { id: from, term, log, commitIndex } = state;
  const index = offsetIndex(progress.nextIndex, -1);
  const previous = { term: log.termAt(index) ?? term, index };
  send(state, { kind: 'appendRequest', from, to, term, previous, entries, commitIndex });
  progress.toldCommitIndex = commitIndex;
  const last = entries.at(-1);
  if (progress.mode === 'probe') progress.paused = true;
  else if (last !== undefined) progress.sent(last.index, totalBytes(entries));
}

function totalBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}
