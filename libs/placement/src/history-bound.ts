/** How the history is kept within its bounds: the compacted revision moves up. */
import { assert } from '@robustmq/errors';
import type { CommandDraft } from './command-draft.ts';
import type { Revision } from './identifiers.ts';
import type { StateMachineLimits } from './limits.ts';
import { historyBytesBefore, historyRecord, historyRecordRange } from './record-layout.ts';

/** The bound is passed by this share before the history is cut back to it. */
const SLACK_SHARE = 16;

/** Compacts when the history has outgrown a bound. */
export function boundHistory(draft: CommandDraft, limits: StateMachineLimits): void {
  const { meta } = draft;
  const revisions = meta.revision - meta.compactedRevision;
  const slack = Math.floor(limits.historyRevisionsMax / SLACK_SHARE);
  if (revisions > limits.historyRevisionsMax + slack) {
    compactTo(draft, (meta.revision - limits.historyRevisionsMax) as Revision);
  }
  const bytes = meta.historyWrittenBytes - meta.historyForgottenBytes;
  if (bytes > limits.historyBytesMax) compactTo(draft, newerHalf(draft, limits));
}

/** The last revision to forget so that at most half the bound stays; all but the newest at most. */
function newerHalf(draft: CommandDraft, limits: StateMachineLimits): Revision {
  const floor = draft.meta.historyWrittenBytes - Math.floor(limits.historyBytesMax / 2);
  // Invariant: revision `low` begins below the floor, `high` at or above it or is the newest.
  let low: number = draft.meta.compactedRevision;
  let high: number = draft.meta.revision;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (bytesBefore(draft, middle as Revision) < floor) low = middle;
    else high = middle;
  }
  return (high - 1) as Revision;
}

/** Forgets the history up to and including `revision`, which is not newer than the store. */
export function compactTo(draft: CommandDraft, revision: Revision): void {
  const { meta } = draft;
  if (revision <= meta.compactedRevision) return;
  const after = (revision + 1) as Revision;
  const range = historyRecordRange((meta.compactedRevision + 1) as Revision, after);
  draft.writes.push({ kind: 'forget', range });
  meta.compactedRevision = revision;
  meta.historyForgottenBytes = bytesBefore(draft, after);
}

/** Bytes of all history before `revision`, which may be the one that this command makes. */
function bytesBefore(draft: CommandDraft, revision: Revision): number {
  const { before, meta } = draft;
  if (revision > meta.revision) return meta.historyWrittenBytes;
  if (revision > before.revision) return before.historyWrittenBytes;
  const record = draft.reader.get(historyRecord(revision, 0));
  assert(record !== undefined, `revision ${revision} has no history`);
  return historyBytesBefore(record);
}
