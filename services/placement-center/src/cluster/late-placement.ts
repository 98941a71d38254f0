/** A placement whose member may not be open yet: a member that joins serves before it belongs. */
import { type Placement, PlacementError } from '@robustmq/placement';

/** Every call before there is one fails with PLACEMENT_UNAVAILABLE. Closes nothing. */
export function latePlacement(opened: () => Placement | null): Placement {
  const now = (): Placement => {
    const placement = opened();
    if (placement !== null) return placement;
    const detail = 'this member has not joined its cluster yet';
    throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
  };
  return {
    range: async (request, options) => now().range(request, options),
    transact: async (transaction, options) => now().transact(transaction, options),
    watch: (request) => now().watch(request),
    grantLease: async (ttlSeconds, options) => now().grantLease(ttlSeconds, options),
    keepLease: async (id, options) => now().keepLease(id, options),
    revokeLease: async (id, options) => now().revokeLease(id, options),
    readLease: async (id, options) => now().readLease(id, options),
    compact: async (revision, options) => now().compact(revision, options),
    close: async () => {},
  };
}
