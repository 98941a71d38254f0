/** The end of a step: the draft becomes the output, and what it promises is remembered. */
import { type Entry, entryBytes } from './entry.ts';
import { lowerIndex, offsetIndex, type PersistNumber } from './identifiers.ts';
import { newOutputDraft, type OutputDraft, type Persist, type RaftOutput } from './output.ts';
import type { LeaderRole, RaftState } from './state.ts';

const NOTHING: readonly never[] = Object.freeze([]);

/** What an idle step returns, so that a tick without consequence allocates nothing. */
const ACTIVE: RaftOutput = emptyOutput('active');
const QUIESCENT: RaftOutput = emptyOutput('quiescent');

export function takeOutput(state: RaftState): RaftOutput {
  const committed = takeCommitted(state);
  state.log.evict(
    lowerIndex(state.deliveredIndex, state.durableIndex),
    state.options.windowBytesMax,
  );
  const { draft } = state;
  const activity = state.quiescent ? 'quiescent' : 'active';
  if (committed.length === 0 && isUntouched(draft)) {
    return state.quiescent ? QUIESCENT : ACTIVE;
  }
  const persist = takePersist(state);
  state.draft = newOutputDraft();
  return {
    messages: draft.messages,
    persist,
    messagesAfterPersist: draft.messagesAfterPersist,
    committed,
    proposal: draft.proposal,
    readsReady: draft.readsReady,
    readsRefused: draft.readsRefused,
    logReads: draft.logReads,
    snapshotReads: draft.snapshotReads,
    snapshotWrite: draft.snapshotWrite,
    activity,
  };
}

/** While a snapshot is being installed the state machine is not to be touched by entries. */
function takeCommitted(state: RaftState): readonly Entry[] {
  if (state.incoming?.phase === 'installing') return NOTHING;
  const through = state.rules.applicableIndex(state.commitIndex, state.durableIndex);
  if (through <= state.deliveredIndex) return NOTHING;
  const first = offsetIndex(state.deliveredIndex, 1);
  const entries = state.log.between(first, offsetIndex(through, 1));
  state.deliveredIndex = through;
  if (state.role.kind === 'leader') noteCommitted(state.role, entries);
  return entries;
}

/** Makes room for proposals; entries of earlier terms were never counted. */
function noteCommitted(leader: LeaderRole, entries: readonly Entry[]): void {
  let bytes = leader.uncommittedBytes;
  for (const entry of entries) bytes -= entryBytes(entry);
  leader.uncommittedBytes = Math.max(0, bytes);
}

function takePersist(state: RaftState): Persist | null {
  const { draft } = state;
  if (!draft.hardStateChanged && draft.entries.length === 0 && draft.resetTo === null) return null;
  const number = (state.lastPersist + 1) as PersistNumber;
  state.lastPersist = number;
  if (draft.hardStateChanged) state.hardStateIn = number;
  state.pendingPersists.push({ number, lastIndex: state.log.lastIndex });
  return {
    number,
    hardState: draft.hardStateChanged ? { term: state.term, votedFor: state.votedFor } : null,
    resetTo: draft.resetTo,
    entries: draft.entries,
  };
}

function isUntouched(draft: OutputDraft): boolean {
  return (
    draft.messages.length === 0 &&
    draft.messagesAfterPersist.length === 0 &&
    !draft.hardStateChanged &&
    draft.entries.length === 0 &&
    draft.resetTo === null &&
    draft.proposal === null &&
    draft.readsReady.length === 0 &&
    draft.readsRefused.length === 0 &&
    draft.logReads.length === 0 &&
    draft.snapshotReads.length === 0 &&
    draft.snapshotWrite === null
  );
}

function emptyOutput(activity: RaftOutput['activity']): RaftOutput {
  return Object.freeze({
    messages: NOTHING,
    persist: null,
    messagesAfterPersist: NOTHING,
    committed: NOTHING,
    proposal: null,
    readsReady: NOTHING,
    readsRefused: NOTHING,
    logReads: NOTHING,
    snapshotReads: NOTHING,
    snapshotWrite: null,
    activity,
  });
}
