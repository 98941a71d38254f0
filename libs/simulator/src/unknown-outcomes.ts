/**
 * Makes the operations of one key easier to order, without changing whether they can be ordered:
 *
 * - values that nobody reads or expects become one value, {@link UNSEEN}: no answer tells them apart;
 * - a write of unknown outcome whose value was read did happen, before that read returned;
 * - writes of unknown outcome that are alike form a class, used in the order of their calls.
 */
import type { Operation, RecordedOperation, Value } from './history.ts';

/** Stands for every value that no answer names. */
export const UNSEEN: Value = -1;

export interface PreparedPart {
  /** Ascending by invocation. `source` is as it was recorded. */
  readonly answered: readonly PreparedOperation[];
  readonly unknown: readonly UnknownClass[];
}

export interface PreparedOperation {
  readonly recorded: RecordedOperation;
  readonly source: RecordedOperation;
}

/** Writes of unknown outcome that nobody can tell apart but by the time of their call. */
export interface UnknownClass {
  /** Ascending by invocation. */
  readonly members: readonly PreparedOperation[];
}

/** @param part  the operations of one key, ascending by invocation */
export function preparePart(part: readonly RecordedOperation[]): PreparedPart {
  const seen = seenValues(part);
  const proofs = proofsOf(part);
  const answered: PreparedOperation[] = [];
  const classes = new Map<string, PreparedOperation[]>();
  for (const source of part) {
    const operation = withCommonValues(source.operation, seen);
    const returnedAt = source.returnedAt ?? proofs.get(source) ?? null;
    const prepared = {
      recorded: { ...source, operation, returnedAt, result: source.result },
      source,
    };
    if (source.returnedAt !== null) answered.push(prepared);
    else if (returnedAt !== null) answered.push(asHappened(prepared));
    else {
      const members = classes.get(nameOf(operation));
      if (members === undefined) classes.set(nameOf(operation), [prepared]);
      else members.push(prepared);
    }
  }
  return { answered, unknown: [...classes.values()].map((members) => ({ members })) };
}

function seenValues(part: readonly RecordedOperation[]): ReadonlySet<Value> {
  const seen = new Set<Value>([0]);
  for (const { operation, result, returnedAt } of part) {
    if (operation.kind === 'get' && returnedAt !== null) seen.add(result);
    if (operation.kind === 'compareAndSet') seen.add(operation.expected);
  }
  return seen;
}

/** For each write of unknown outcome that was the only one of its value: when that was known. */
function proofsOf(part: readonly RecordedOperation[]): ReadonlyMap<RecordedOperation, number> {
  const provenAt = new Map<Value, number>();
  const writers = new Map<Value, RecordedOperation | 'several'>();
  for (const recorded of part) {
    const { operation, result, returnedAt } = recorded;
    const value = operation.kind === 'get' || operation.kind === 'delete' ? null : operation.value;
    if (value !== null) writers.set(value, writers.has(value) ? 'several' : recorded);
    if (returnedAt === null) continue;
    const found = operation.kind === 'get' ? result : expectationMet(operation, result);
    if (found !== null) provenAt.set(found, Math.min(provenAt.get(found) ?? Infinity, returnedAt));
  }
  const proofs = new Map<RecordedOperation, number>();
  for (const [value, at] of provenAt) {
    const writer = writers.get(value);
    if (value === 0 || writer === undefined || writer === 'several') continue;
    // A read that returned before the call contradicts it: the search shall say so.
    if (writer.returnedAt === null && writer.invokedAt <= at) proofs.set(writer, at);
  }
  return proofs;
}

function expectationMet(operation: Operation, result: Value): Value | null {
  return operation.kind === 'compareAndSet' && result === 1 ? operation.expected : null;
}

function withCommonValues(operation: Operation, seen: ReadonlySet<Value>): Operation {
  if (operation.kind === 'get' || operation.kind === 'delete') return operation;
  return seen.has(operation.value) ? operation : { ...operation, value: UNSEEN };
}

/** A write that is known to have taken effect: a compare-and-set succeeded. */
function asHappened({ recorded, source }: PreparedOperation): PreparedOperation {
  return { recorded: { ...recorded, result: 1 }, source };
}

function nameOf(operation: Operation): string {
  switch (operation.kind) {
    case 'get':
    case 'delete':
      return operation.kind;
    case 'put':
      return `put ${operation.value}`;
    case 'compareAndSet':
      return `swap ${operation.expected} ${operation.value}`;
  }
}
