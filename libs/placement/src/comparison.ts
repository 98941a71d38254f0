/** Whether a comparison of a transaction holds. */
import type { KeyValue } from './key-value.ts';
import type { Comparison, Relation } from './transaction.ts';

/** @param keyValue  null when the key does not exist: version and revisions count as 0, no value holds */
export function holds(comparison: Comparison, keyValue: KeyValue | null): boolean {
  switch (comparison.target) {
    case 'lease':
      return (keyValue?.lease ?? null) === comparison.lease;
    case 'value':
      // What isn't there is neither equal nor different: etcd's rule, so that both stores agree.
      if (keyValue === null) return false;
      return holdsFor(comparison.relation, compareBytes(keyValue.value, comparison.value));
    default:
      return holdsFor(
        comparison.relation,
        (keyValue?.[comparison.target] ?? 0) - comparison.number,
      );
  }
}

function holdsFor(relation: Relation, difference: number): boolean {
  switch (relation) {
    case 'equal':
      return difference === 0;
    case 'notEqual':
      return difference !== 0;
    case 'less':
      return difference < 0;
    case 'greater':
      return difference > 0;
  }
}

/** Byte by byte; of two of which one begins the other, the shorter is less. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
