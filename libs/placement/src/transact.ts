/** A transaction: compare, then one of two lists of operations, as one step. */
import { unreachable } from '@robustmq/errors';
import type { CommandRefusal, CommandResult } from './command.ts';
import type { CommandDraft } from './command-draft.ts';
import { holds } from './comparison.ts';
import { isEmptyRange, isSingleKey } from './keys.ts';
import { leaseLives } from './lease-commands.ts';
import type { StateMachineLimits } from './limits.ts';
import { readOutcome, rememberOutcome } from './outcomes.ts';
import { keysWanted, rangeResult } from './range-result.ts';
import { keyRecordRange } from './record-layout.ts';
import type { AnnouncedRange } from './record-store.ts';
import { storedBytes } from './store-meta.ts';
import type {
  DeleteOperation,
  Operation,
  OperationResult,
  PutOperation,
  Transaction,
} from './transaction.ts';
import { keyTouchedTwice } from './touched-keys.ts';
import { takeRanges, TouchBudget } from './touch-budget.ts';

/** The ranges of both branches, since which one is carried out is not known yet. */
export function rangesOfTransaction(transaction: Transaction): readonly AnnouncedRange[] {
  return [transaction.then, transaction.otherwise].flatMap(rangesOfOperations);
}

function rangesOfOperations(operations: readonly Operation[]): readonly AnnouncedRange[] {
  const ranges: AnnouncedRange[] = [];
  // What operations before a range read may have taken out of the records that it finds.
  let removable: number | null = 0;
  for (const operation of operations) {
    if (operation.kind === 'put') continue;
    const { range } = operation;
    if (isEmptyRange(range)) continue;
    const isSingle = isSingleKey(range);
    if (!isSingle) {
      ranges.push({ ...keyRecordRange(range), recordsMax: recordsRead(operation, removable) });
    }
    if (operation.kind === 'delete' && removable !== null)
      removable = isSingle ? removable + 1 : null;
  }
  return ranges;
}

function recordsRead(
  operation: Exclude<Operation, PutOperation>,
  removable: number | null,
): number | null {
  if (operation.kind === 'delete' || operation.content === 'count' || removable === null)
    return null;
  return keysWanted(operation) + 1 + removable;
}

export function transact(
  draft: CommandDraft,
  transaction: Transaction,
  limits: StateMachineLimits,
): CommandResult {
  const { requestId } = transaction;
  const known = requestId === null ? null : readOutcome(draft.reader, 'transact', requestId);
  if (known !== null) {
    const { revision, number } = known;
    const result = { revision, succeeded: number === 1, results: [], repeated: true };
    return { kind: 'transacted', result };
  }
  const budget = new TouchBudget(limits);
  const isWithin = takeRanges(budget, draft.reader, rangesOfTransaction(transaction));
  if (!isWithin) return refused(tooManyKeys(limits));
  const succeeded = transaction.compare.every((each) => holds(each, draft.read(each.key)));
  const operations = succeeded ? transaction.then : transaction.otherwise;
  const refusal = refusalBefore(draft, operations);
  if (refusal !== null) return refusal;
  const results: OperationResult[] = [];
  for (const operation of operations) {
    results.push(carryOut(draft, operation));
    if (draft.readBytes > limits.touchedBytesMax) return refused(tooManyKeys(limits));
  }
  const full = refusalAfter(draft, operations, limits);
  if (full !== null) return full;
  const { revision } = draft.meta;
  if (requestId !== null) {
    const number = succeeded ? 1 : 0;
    rememberOutcome(draft, limits, { kind: 'transact', requestId, revision, number });
  }
  return { kind: 'transacted', result: { revision, succeeded, results, repeated: false } };
}

function refusalBefore(
  draft: CommandDraft,
  operations: readonly Operation[],
): CommandResult | null {
  const key = keyTouchedTwice(operations);
  if (key !== null) return refused({ code: 'KEY_TWICE', key });
  for (const operation of operations) {
    if (operation.kind !== 'put' || operation.lease === null) continue;
    if (!leaseLives(draft.reader, operation.lease)) {
      return refused({ code: 'LEASE_NOT_FOUND', lease: operation.lease });
    }
  }
  return null;
}

function refusalAfter(
  draft: CommandDraft,
  operations: readonly Operation[],
  limits: StateMachineLimits,
): CommandResult | null {
  const bytes = storedBytes(draft.meta);
  if (bytes <= limits.storedBytesMax) return null;
  // Deletions are never refused: they are the way out.
  if (!operations.some((operation) => operation.kind === 'put')) return null;
  return refused({ code: 'STORE_FULL', bytes, limit: limits.storedBytesMax });
}

function tooManyKeys({ touchedKeysMax, touchedBytesMax }: StateMachineLimits): CommandRefusal {
  return { code: 'TOO_MANY_KEYS', limit: touchedKeysMax, bytesLimit: touchedBytesMax };
}

function refused(refusal: CommandRefusal): CommandResult {
  return { kind: 'refused', refusal };
}

function carryOut(draft: CommandDraft, operation: Operation): OperationResult {
  switch (operation.kind) {
    case 'put':
      return { kind: 'put', previous: draft.put(operation) };
    case 'delete':
      return { kind: 'delete', deleted: deleteRange(draft, operation) };
    case 'range':
      return rangeResult(
        isEmptyRange(operation.range) ? [] : draft.scan(operation.range),
        operation,
      );
    default:
      return unreachable(operation);
  }
}

function deleteRange(draft: CommandDraft, operation: DeleteOperation): number {
  if (isEmptyRange(operation.range)) return 0;
  const found = [...draft.scan(operation.range)];
  for (const keyValue of found) draft.delete(keyValue);
  return found.length;
}
