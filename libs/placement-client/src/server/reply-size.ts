/**
 * Keeps the answer to a transaction within a message.
 *
 * A range is cut by the store, but a transaction may hold many ranges and replace many large values.
 * What only reads is refused then. What has changed something must not look as if it failed: it is
 * answered as a repeated one, which tells the outcome without the results.
 */

import {
  type KeyValue,
  type OperationResult,
  PlacementError,
  type Transaction,
  type TransactionResult,
} from '@robustmq/placement';

/** LIMIT: transactionReplyBytesMax */
const transactionReplyBytesMax = 3.5 * 1024 * 1024;

/** @throws PLACEMENT_INVALID when a transaction that only reads has too much to tell */
export function fittingResult(
  transaction: Transaction,
  result: TransactionResult,
): TransactionResult {
  const bytes = result.results.reduce((sum, each) => sum + resultBytes(each), 0);
  if (bytes <= transactionReplyBytesMax) return result;
  const operations = result.succeeded ? transaction.then : transaction.otherwise;
  if (operations.some(({ kind }) => kind !== 'range')) {
    return { ...result, results: [], repeated: true };
  }
  const detail = `the answer of ${bytes} bytes exceeds ${transactionReplyBytesMax}: read less at once`;
  throw new PlacementError({ code: 'PLACEMENT_INVALID', detail });
}

function resultBytes(result: OperationResult): number {
  if (result.kind === 'put') return result.previous === null ? 8 : keyValueBytes(result.previous);
  if (result.kind === 'delete') return 16;
  return result.keyValues.reduce((sum, each) => sum + keyValueBytes(each), 16);
}

/** An upper bound that is cheap to have. */
function keyValueBytes({ key, value }: KeyValue): number {
  return 3 * key.length + value.length + 64;
}
