/**
 * Changes of the own log, with everything that must follow along: what is to be persisted, what is
 * durable, and which configuration is in force.
 */
import { assert } from '@robustmq/errors';
import type { Entry } from './entry.ts';
import { type EntryId, higherIndex, type LogIndex, lowerIndex } from './identifiers.ts';
import type { SnapshotMetadata } from './message.ts';
import type { RaftState } from './state.ts';

/** Adds one entry; a membership entry is in force at once (Raft thesis §4.1). */
export function appendToLog(state: RaftState, entry: Entry): void {
  state.log.append(entry);
  state.draft.entries.push(entry);
  if (entry.kind !== 'membership') return;
  state.configurations.push({ index: entry.index, configuration: entry.configuration });
  refreshConfiguration(state);
}

/** Drops every entry after `index`; a configuration among them is in force no more. */
export function truncateLog(state: RaftState, index: LogIndex): void {
  assert(index >= state.commitIndex, `truncation at ${index} before commit ${state.commitIndex}`);
  state.log.truncateAfter(index);
  clipDurable(state, index);
  state.draft.entries = state.draft.entries.filter((entry) => entry.index <= index);
  const newest = state.configurations.at(-1);
  if (newest === undefined || newest.index <= index) return;
  state.configurations = state.configurations.filter((placed) => placed.index <= index);
  refreshConfiguration(state);
}

/** Replaces the log by a snapshot, which is durable (Raft Figure 13, steps 6 to 8). */
export function restartLogAt(state: RaftState, snapshot: SnapshotMetadata): void {
  const { last } = snapshot;
  const keeps = state.rules.keepsSuffix(state.log.termAt(last.index), last.term);
  if (!keeps) resetLog(state, last);
  const later = keeps ? state.configurations.filter((each) => each.index > last.index) : [];
  state.configurations = [{ index: last.index, configuration: snapshot.configuration }, ...later];
  refreshConfiguration(state);
  state.snapshot = snapshot;
  state.commitIndex = higherIndex(state.commitIndex, last.index);
  state.deliveredIndex = last.index;
}

/** Forgets configurations that no reader of the log can need any more. */
export function forgetConfigurationsBefore(state: RaftState, index: LogIndex): void {
  const needed = state.configurations.findLastIndex((placed) => placed.index <= index);
  if (needed > 0) state.configurations.splice(0, needed);
}

export function refreshConfiguration(state: RaftState): void {
  state.configuration = state.rules.configurationInForce(state.configurations);
}

function resetLog(state: RaftState, last: EntryId): void {
  state.log.resetTo(last);
  state.draft.resetTo = last;
  state.draft.entries = [];
  clipDurable(state, last.index);
  // The snapshot itself is durable, so the new log is, up to its base.
  state.durableIndex = last.index;
}

function clipDurable(state: RaftState, index: LogIndex): void {
  state.durableIndex = lowerIndex(state.durableIndex, index);
  for (const pending of state.pendingPersists) {
    pending.lastIndex = lowerIndex(pending.lastIndex, index);
  }
}
