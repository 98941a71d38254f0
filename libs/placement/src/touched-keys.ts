/** Whether a list of operations changes a key twice, as far as the list alone tells. */
import { matchesRange } from './keys.ts';
import type { Operation } from './transaction.ts';

/**
 * A key that two puts, or a put and a deletion, of the list touch; null when there is none. Deletions
 * may overlap: the later one finds nothing.
 */
export function keyTouchedTwice(operations: readonly Operation[]): string | null {
  if (operations.length < 2) return null;
  const keys = new Set<string>();
  for (const operation of operations) {
    if (operation.kind !== 'put') continue;
    if (keys.has(operation.key)) return operation.key;
    keys.add(operation.key);
  }
  for (const operation of operations) {
    if (operation.kind !== 'delete') continue;
    for (const key of keys) if (matchesRange(operation.range, key)) return key;
  }
  return null;
}
