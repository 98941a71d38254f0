/** What edges refuse before it reaches the Raft log. */
import { keyBytes } from './keys.ts';
import type { KeyRange } from './key-value.ts';
import { type CommandLimits, LEASE_TTL_SECONDS_MAX } from './limits.ts';
import type { PlacementFault } from './placement-error.ts';
import { keyTouchedTwice } from './touched-keys.ts';
import type { Comparison, Operation, Transaction } from './transaction.ts';

export type InvalidRequest = Extract<PlacementFault, { code: 'PLACEMENT_INVALID' }>;

/** @returns what is wrong with the transaction, as a sentence; null when nothing is */
export function validateTransaction(
  transaction: Transaction,
  limits: CommandLimits,
): InvalidRequest | null {
  const { compare, then, otherwise, requestId } = transaction;
  const detail =
    countProblem(transaction, limits) ??
    requestIdProblem(requestId, limits) ??
    first(compare, (comparison) => comparisonProblem(comparison, limits)) ??
    first([then, otherwise], (operations) => operationsProblem(operations, limits)) ??
    sizeProblem(transaction, limits);
  return invalid(detail);
}

/** @returns what is wrong with the range of a read, a deletion or a watch; null when nothing is */
export function validateRange(range: KeyRange, limits: CommandLimits): InvalidRequest | null {
  return invalid(rangeProblem(range, limits));
}

/** @returns what is wrong with the time to live of a lease; null when nothing is */
export function validateTtl(ttlSeconds: number): InvalidRequest | null {
  const ok = Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= LEASE_TTL_SECONDS_MAX;
  return invalid(
    ok ? null : `a lease lives 1 to ${LEASE_TTL_SECONDS_MAX} whole seconds, not ${ttlSeconds}`,
  );
}

function invalid(detail: string | null): InvalidRequest | null {
  return detail === null ? null : { code: 'PLACEMENT_INVALID', detail };
}

function first<Value>(
  values: readonly Value[],
  problemOf: (value: Value) => string | null,
): string | null {
  for (const value of values) {
    const problem = problemOf(value);
    if (problem !== null) return problem;
  }
  return null;
}

function countProblem(transaction: Transaction, limits: CommandLimits): string | null {
  const { compare, then, otherwise } = transaction;
  const count = Math.max(compare.length, then.length, otherwise.length);
  if (count <= limits.operationsMax) return null;
  return `a transaction has at most ${limits.operationsMax} comparisons and as many operations, not ${count}`;
}

function requestIdProblem(requestId: string | null, limits: CommandLimits): string | null {
  if (requestId === null) return null;
  if (
    requestId !== '' &&
    requestId.isWellFormed() &&
    keyBytes(requestId) <= limits.requestIdBytesMax
  )
    return null;
  return `a request id is text of 1 to ${limits.requestIdBytesMax} bytes`;
}

function keyProblem(key: string, limits: CommandLimits): string | null {
  if (key === '') return 'a key has at least one character';
  return boundProblem(key, limits);
}

function boundProblem(key: string, limits: CommandLimits): string | null {
  if (!key.isWellFormed()) return 'a key has no lone surrogates';
  const bytes = keyBytes(key);
  if (bytes <= limits.keyBytesMax) return null;
  return `a key has at most ${limits.keyBytesMax} bytes, not ${bytes}`;
}

function rangeProblem(range: KeyRange, limits: CommandLimits): string | null {
  // The end of a single key's range is one character longer than the key.
  const ends = { ...limits, keyBytesMax: limits.keyBytesMax + 1 };
  return (
    boundProblem(range.first, limits) ??
    (range.after === null ? null : boundProblem(range.after, ends))
  );
}

function valueProblem(value: Uint8Array, limits: CommandLimits): string | null {
  if (value.length <= limits.valueBytesMax) return null;
  return `a value has at most ${limits.valueBytesMax} bytes, not ${value.length}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function comparisonProblem(comparison: Comparison, limits: CommandLimits): string | null {
  const problem = keyProblem(comparison.key, limits);
  if (problem !== null) return problem;
  if (comparison.target === 'value') return valueProblem(comparison.value, limits);
  const number = comparison.target === 'lease' ? (comparison.lease ?? 0) : comparison.number;
  return isCount(number) ? null : `a comparison goes with a whole number from 0, not ${number}`;
}

function operationsProblem(operations: readonly Operation[], limits: CommandLimits): string | null {
  const problem = first(operations, (operation) => operationProblem(operation, limits));
  if (problem !== null) return problem;
  const key = keyTouchedTwice(operations);
  return key === null ? null : `the key "${key.slice(0, 100)}" is changed twice`;
}

function operationProblem(operation: Operation, limits: CommandLimits): string | null {
  if (operation.kind === 'put') {
    const lease = operation.lease ?? 1;
    if (!isCount(lease) || lease === 0) return `a lease id is a whole number from 1, not ${lease}`;
    return keyProblem(operation.key, limits) ?? valueProblem(operation.value, limits);
  }
  if (operation.kind === 'range' && !isCount(operation.limit)) {
    return `a limit is a whole number from 0, not ${operation.limit}`;
  }
  return rangeProblem(operation.range, limits);
}

/** An upper bound of what the command takes encoded, without encoding it. */
function sizeProblem(transaction: Transaction, limits: CommandLimits): string | null {
  const { compare, then, otherwise } = transaction;
  let bytes = 128;
  for (const comparison of compare) {
    bytes += 16 + keyBytes(comparison.key);
    if (comparison.target === 'value') bytes += comparison.value.length;
  }
  for (const operation of [...then, ...otherwise]) {
    bytes += 32;
    if (operation.kind === 'put') bytes += keyBytes(operation.key) + operation.value.length;
    else bytes += keyBytes(operation.range.first) + keyBytes(operation.range.after ?? '');
  }
  if (bytes <= limits.commandBytesMax) return null;
  return `a transaction has at most ${limits.commandBytesMax} bytes, not ${bytes}`;
}
