/**
 * Snapshots: the own one and compaction, and in pieces from leader to follower (Raft §7).
 *
 *      leader                                follower
 *        │ snapshotRead (driver)                │
 *        │──── snapshotChunk offset ───────────▶│ snapshotWrite (driver)
 *        │◀─── snapshotChunkResponse next ──────│
 *        │            …                         │
 *        │──── snapshotChunk done ─────────────▶│ durable, machine replaced: snapshotInstalled
 *        │◀─── appendAccepted ──────────────────│
 *
 * One piece is under way at a time; a lost one is repeated after an election timeout.
 */
import { assert } from '@robustmq/errors';
import { heardLeader } from './election.ts';
import type { LogIndex, NodeId } from './identifiers.ts';
import type { SnapshotPiece } from './input.ts';
import { forgetConfigurationsBefore, restartLogAt } from './local-log.ts';
import type { SnapshotChunk, SnapshotChunkResponse, SnapshotMetadata } from './message.ts';
import type { Progress } from './progress.ts';
import { sendEntries } from './replication.ts';
import {
  type IncomingSnapshot,
  type LeaderRole,
  leaderOf,
  type RaftState,
  send,
  sendAfterPersist,
  sendPromisingTerm,
} from './state.ts';

/**
 * What to store beside the state machine's content as of `index`, before `snapshotTaken`.
 *
 * @param index  an index that was handed over in `committed`, not before the newest snapshot
 */
export function snapshotMetadataAt(state: RaftState, index: LogIndex): SnapshotMetadata {
  const term = state.log.termAt(index);
  assert(index <= state.deliveredIndex && term !== null, `no snapshot is possible at ${index}`);
  const configuration = state.rules.configurationAt(state.configurations, index);
  return { last: { term, index }, configuration };
}

export function onSnapshotTaken(state: RaftState, snapshot: SnapshotMetadata): void {
  if (snapshot.last.index > state.snapshot.last.index) state.snapshot = snapshot;
}

export function compact(state: RaftState, through: LogIndex): void {
  assert(through <= state.snapshot.last.index, `no snapshot covers ${through}`);
  state.log.compact(through);
  forgetConfigurationsBefore(state, state.log.base.index);
}

/** The follower needs what the log no longer has. */
export function startSnapshot(state: RaftState, to: NodeId, progress: Progress): void {
  progress.becomeSnapshot(state.snapshot);
  askForPiece(state, to, progress);
}

/** A piece or its answer was lost, or the follower restarted. */
export function resendSnapshots(state: RaftState, leader: LeaderRole): void {
  for (const [to, progress] of leader.progress) {
    if (progress.transfer === null) continue;
    progress.transfer.ticksSinceSent += 1;
    if (progress.transfer.ticksSinceSent < state.options.electionTimeoutTicks) continue;
    askForPiece(state, to, progress);
  }
}

export function onSnapshotRead(state: RaftState, to: NodeId, piece: SnapshotPiece): void {
  const transfer = transferTo(state, to);
  if (transfer === null || transfer.snapshot.last.index !== piece.snapshotIndex) return;
  if (transfer.offset !== piece.offset) return;
  const { id: from, term } = state;
  const { offset, data, done } = piece;
  const { snapshot } = transfer;
  send(state, { kind: 'snapshotChunk', from, to, term, snapshot, offset, data, done });
}

export function onSnapshotGone(state: RaftState, to: NodeId, index: LogIndex): void {
  const { role: leader } = state;
  const transfer = transferTo(state, to);
  if (leader.kind !== 'leader' || transfer?.snapshot.last.index !== index) return;
  const progress = leader.progress.get(to);
  if (progress === undefined) return;
  progress.becomeProbe(progress.nextIndex);
  sendEntries(state, leader, to);
}

export function onSnapshotChunkResponse(state: RaftState, message: SnapshotChunkResponse): void {
  const { role: leader } = state;
  if (leader.kind !== 'leader') return;
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.active = true;
  const { transfer } = progress;
  if (transfer === null || transfer.snapshot.last.index !== message.snapshotIndex) return;
  if (transfer.offset === message.nextOffset) return; // That piece is under way already.
  transfer.offset = message.nextOffset;
  askForPiece(state, message.from, progress);
}

export function onSnapshotChunk(state: RaftState, message: SnapshotChunk): void {
  heardLeader(state, message.from);
  const { id: from, term } = state;
  const to = message.from;
  const snapshotIndex = message.snapshot.last.index;
  if (snapshotIndex <= state.commitIndex) {
    const matchIndex = state.commitIndex;
    return sendAfterPersist(state, { kind: 'appendAccepted', from, to, term, matchIndex });
  }
  if (state.incoming?.phase === 'installing') return; // `snapshotInstalled` gives the answer.
  const incoming = incomingFor(state, message);
  if (incoming.nextOffset === message.offset) takePiece(state, incoming, message);
  if (incoming.phase === 'installing') return;
  const { nextOffset } = incoming;
  const kind = 'snapshotChunkResponse';
  sendPromisingTerm(state, { kind, from, to, term, snapshotIndex, nextOffset });
}

export function onSnapshotInstalled(state: RaftState, snapshot: SnapshotMetadata): void {
  const { incoming } = state;
  assert(incoming?.phase === 'installing', 'a snapshot was installed that nobody asked for');
  assert(incoming.snapshot.last.index === snapshot.last.index, 'another snapshot was installed');
  state.incoming = null;
  restartLogAt(state, snapshot);
  const to = leaderOf(state);
  if (to === null || to === state.id) return;
  const { id: from, term } = state;
  const matchIndex = snapshot.last.index;
  sendAfterPersist(state, { kind: 'appendAccepted', from, to, term, matchIndex });
}

export function onSnapshotInstallFailed(state: RaftState): void {
  state.incoming = null;
}

/** Pieces of two snapshots never mix, nor of the same one as two nodes wrote it. */
function incomingFor(state: RaftState, message: SnapshotChunk): IncomingSnapshot {
  const { incoming } = state;
  const { snapshot, from } = message;
  if (incoming?.from === from && incoming.snapshot.last.index === snapshot.last.index) {
    return incoming;
  }
  const fresh: IncomingSnapshot = { from, snapshot, nextOffset: 0, phase: 'receiving' };
  state.incoming = fresh;
  return fresh;
}

function takePiece(state: RaftState, incoming: IncomingSnapshot, message: SnapshotChunk): void {
  const { snapshot, offset, data, done } = message;
  state.draft.snapshotWrite = { snapshot, offset, data, done };
  incoming.nextOffset += data.length;
  if (done) incoming.phase = 'installing';
}

function askForPiece(state: RaftState, to: NodeId, progress: Progress): void {
  const { transfer } = progress;
  if (transfer === null) return;
  transfer.ticksSinceSent = 0;
  const { offset, snapshot } = transfer;
  const bytesMax = state.options.snapshotChunkBytesMax;
  state.draft.snapshotReads.push({ to, snapshotIndex: snapshot.last.index, offset, bytesMax });
}

function transferTo(state: RaftState, to: NodeId): Progress['transfer'] {
  if (state.role.kind !== 'leader') return null;
  return state.role.progress.get(to)?.transfer ?? null;
}
