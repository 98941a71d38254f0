/**
 * The replicated state machine of the placement center: the state is a map of records
 * (record-layout.ts), a command turns it into the next one.
 *
 * ```text
 *  command ─► rangesOf ─► the store loads these ranges
 *        └──► applyCommand(reader) ─► writes, result, events of one revision
 * ```
 *
 * What a command does follows from the records, the command and the limits alone: no time, no chance.
 * That a lease has run out is decided by the leader, who then proposes its revocation.
 *
 * History is bounded twice, by revisions and by bytes: a command that passes a bound moves the
 * compacted revision, by a share of the whole at once, so that it happens rarely. The records it leaves
 * behind are dead and cost the command nothing (`forget`).
 *
 * Cost: three point reads and three to five writes for a put; what scans says so in `rangesOf`.
 */
import { unreachable } from '@robustmq/errors';
import type { Command, CommandRefusal, CommandResult } from './command.ts';
import { CommandDraft } from './command-draft.ts';
import { boundHistory, compactTo } from './history-bound.ts';
import type { Revision } from './identifiers.ts';
import type { KeyEvent } from './key-value.ts';
import { grantLease, revokeLease } from './lease-commands.ts';
import type { StateMachineLimits } from './limits.ts';
import { attachmentRecordRange } from './record-layout.ts';
import type { AnnouncedRange, RecordReader, RecordWrite } from './record-store.ts';
import { rangesOfTransaction, transact } from './transact.ts';

export interface AppliedCommand {
  /** To be written as a whole; empty when nothing changed. */
  readonly writes: readonly RecordWrite[];
  readonly result: CommandResult;
  /** Of one revision, {@link revision}; empty when no key changed. */
  readonly events: readonly KeyEvent[];
  /** Of the store after the command. */
  readonly revision: Revision;
}

/**
 * The ranges of records that applying the command reads; point reads are not announced. Whoever loads
 * them does so in order and stops with the record that exceeds a `TouchBudget`.
 */
export function rangesOf(command: Command): readonly AnnouncedRange[] {
  switch (command.kind) {
    case 'transact':
      return rangesOfTransaction(command.transaction);
    case 'revokeLease':
      return [{ ...attachmentRecordRange(command.id), recordsMax: null }];
    case 'grantLease':
    case 'compact':
      return [];
    default:
      return unreachable(command);
  }
}

/**
 * Applies one command. Reads see what earlier commands wrote; the writes are the caller's to perform.
 *
 * Events and results hold views of `command` and of records: nobody writes to either.
 */
export function applyCommand(
  reader: RecordReader,
  command: Command,
  limits: StateMachineLimits,
): AppliedCommand {
  const draft = new CommandDraft(reader);
  const result = carryOut(draft, command, limits);
  if (result.kind === 'refused') return unchanged(draft, result);
  if (draft.writes.length === 0) return unchanged(draft, result);
  boundHistory(draft, limits);
  const writes = draft.seal(limits);
  return { writes, result, events: draft.events, revision: draft.meta.revision };
}

function unchanged(draft: CommandDraft, result: CommandResult): AppliedCommand {
  return { writes: [], result, events: [], revision: draft.before.revision };
}

function carryOut(
  draft: CommandDraft,
  command: Command,
  limits: StateMachineLimits,
): CommandResult {
  switch (command.kind) {
    case 'transact':
      return transact(draft, command.transaction, limits);
    case 'grantLease':
      return grantLease(draft, command, limits);
    case 'revokeLease':
      return revokeLease(draft, command.id, limits);
    case 'compact':
      return compact(draft, command.revision);
    default:
      return unreachable(command);
  }
}

function compact(draft: CommandDraft, revision: Revision): CommandResult {
  const { compactedRevision, revision: current } = draft.before;
  if (revision > current) {
    return refused({ code: 'REVISION_FUTURE', requested: revision, current });
  }
  if (revision <= compactedRevision) {
    const oldest = (compactedRevision + 1) as Revision;
    return refused({ code: 'REVISION_COMPACTED', requested: revision, oldest });
  }
  compactTo(draft, revision);
  return { kind: 'compacted', revision };
}

function refused(refusal: CommandRefusal): CommandResult {
  return { kind: 'refused', refusal };
}
