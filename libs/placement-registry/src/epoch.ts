import type { Reading } from './record-table.ts';
import { RegistryError } from './registry-error.ts';

/**
 * The epoch of the next owner.
 *
 * One more than that of the owner before. Where there is none, one more than the revision of the
 * store: an epoch is at most the revision at which it was written, so an owner of a record that was
 * deleted in between, and made anew, holds a lower one. Nothing has to be kept about deleted records.
 *
 * Invariant: epoch ≤ modRevision of the record that carries it.
 */
export function nextEpoch(reading: Reading<{ readonly epoch: number }>): number {
  return (reading.stored?.value.epoch ?? reading.revision) + 1;
}

/** @throws REGISTRY_FENCED when `epoch` is not that of the record, or the record is gone */
export function assertEpoch(
  reading: Reading<{ readonly epoch: number }>,
  claim: { readonly key: string; readonly epoch: number },
): void {
  const current = reading.stored?.value.epoch ?? 0;
  if (current === claim.epoch) return;
  throw new RegistryError({
    code: 'REGISTRY_FENCED',
    key: claim.key,
    offered: claim.epoch,
    current,
  });
}
