/**
 * Recorded histories as text, one operation a line:
 *
 *     {"client":1,"op":"put","key":"a","value":"x","invokeNs":10,"returnNs":20,"result":null}
 *     {"client":2,"op":"cas","key":"a","expected":"x","value":"y","invokeNs":15,"returnNs":30,"result":true}
 *     {"client":1,"op":"get","key":"a","invokeNs":35,"returnNs":40,"result":"y"}
 *     {"client":2,"op":"delete","key":"a","invokeNs":45,"returnNs":null,"result":null}
 *
 * - `invokeNs`, `returnNs`: one monotonic clock for all clients of the file. `returnNs` null: the
 *   outcome is unknown. An operation that certainly did not happen is left out.
 * - `value`, `expected`: text or a number; null stands for "absent" (`expected` only).
 * - `result`: of a get the value or null; of a cas whether it succeeded; of a delete whether the key
 *   existed, or null when the server does not say; of a put anything.
 */
import type { Operation, RecordedOperation, Value } from './history.ts';

/** A line that is no operation. */
export class HistoryFormatError extends Error {
  override readonly name = 'HistoryFormatError';
}

/** What a test writes, one per line, as JSON. */
export interface HistoryLine {
  readonly client: number;
  readonly op: 'get' | 'put' | 'delete' | 'cas';
  readonly key: string;
  readonly value?: string | number | null;
  readonly expected?: string | number | null;
  readonly invokeNs: number;
  readonly returnNs: number | null;
  readonly result: string | number | boolean | null;
}

/** A recorded history, and how its numbers are written. */
export interface ReadHistory {
  readonly operations: readonly RecordedOperation[];
  describe(operation: RecordedOperation): string;
  /** A value as it stands in the file. */
  describeValue(value: Value): string;
}

/** @throws HistoryFormatError naming the line */
export function readHistory(text: string): ReadHistory {
  const lines: HistoryLine[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() !== '') lines.push(parseLine(line, at + 1));
  }
  return historyOf(lines);
}

/** The same from lines in memory. */
export function historyOf(lines: readonly HistoryLine[]): ReadHistory {
  const numbers = new Map<string | number | null, Value>([[null, 0]]);
  const numberOf = (value: string | number | null): Value => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  };
  const lineOf = new Map<RecordedOperation, HistoryLine>();
  for (const line of lines) lineOf.set(recordedOf(line, numberOf), line);
  return {
    operations: [...lineOf.keys()],
    describe: (operation) => JSON.stringify(lineOf.get(operation)),
    describeValue: (value) =>
      JSON.stringify([...numbers].find(([, number]) => number === value)?.[0] ?? null),
  };
}

function recordedOf(
  line: HistoryLine,
  numberOf: (value: string | number | null) => Value,
): RecordedOperation {
  const { client, key, invokeNs, returnNs, result } = line;
  const written = numberOf(line.value ?? null);
  const when = { client, invokedAt: invokeNs, returnedAt: returnNs };
  switch (line.op) {
    case 'get': {
      const value = typeof result === 'boolean' ? null : result;
      return { ...when, operation: { kind: 'get', key }, result: numberOf(value) };
    }
    case 'put':
      return { ...when, operation: { kind: 'put', key, value: written }, result: 0 };
    case 'delete': {
      // A deletion that does not tell whether the key existed overwrites with "absent".
      const operation: Operation =
        result === null ? { kind: 'put', key, value: 0 } : { kind: 'delete', key };
      return { ...when, operation, result: result === true ? 1 : 0 };
    }
    case 'cas': {
      const expected = numberOf(line.expected ?? null);
      const operation: Operation = { kind: 'compareAndSet', key, expected, value: written };
      return { ...when, operation, result: result === true ? 1 : 0 };
    }
  }
}

function parseLine(text: string, number: number): HistoryLine {
  let line: Partial<HistoryLine>;
  try {
    line = JSON.parse(text) as Partial<HistoryLine>;
  } catch (cause) {
    throw new HistoryFormatError(`line ${number}: not JSON`, { cause });
  }
  const { client, op, key, invokeNs, returnNs } = line;
  const isOperation =
    typeof client === 'number' &&
    typeof key === 'string' &&
    typeof invokeNs === 'number' &&
    (returnNs === null || (typeof returnNs === 'number' && returnNs >= invokeNs)) &&
    (op === 'get' || op === 'put' || op === 'delete' || op === 'cas');
  if (!isOperation) throw new HistoryFormatError(`line ${number}: no operation: ${text}`);
  const needsValue = op === 'put' || op === 'cas';
  if (needsValue && line.value === undefined) {
    throw new HistoryFormatError(`line ${number}: ${op} without a value`);
  }
  return line as HistoryLine;
}
