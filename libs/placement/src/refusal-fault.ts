import { unreachable } from '@robustmq/errors';
import type { CommandRefusal } from './command.ts';
import type { PlacementFault } from './placement-error.ts';

/** What callers of `Placement` are told when the state machine refuses their command. */
export function faultOfRefusal(refusal: CommandRefusal): PlacementFault {
  switch (refusal.code) {
    case 'LEASE_NOT_FOUND':
      return { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: refusal.lease };
    case 'LEASE_EXISTS':
      return { code: 'PLACEMENT_LEASE_EXISTS', lease: refusal.lease };
    case 'LEASES_FULL':
      return { code: 'PLACEMENT_FULL', detail: `there are ${refusal.limit} leases already` };
    case 'KEY_TWICE': {
      const detail = `the key "${refusal.key.slice(0, 100)}" is changed twice`;
      return { code: 'PLACEMENT_INVALID', detail };
    }
    case 'TOO_MANY_KEYS': {
      const detail = `it touches more than ${refusal.limit} keys or ${refusal.bytesLimit} bytes: delete, and read, in pieces of at most so many`;
      return { code: 'PLACEMENT_INVALID', detail };
    }
    case 'REVISION_COMPACTED':
      return { ...refusal, code: 'PLACEMENT_REVISION_COMPACTED' };
    case 'REVISION_FUTURE':
      return { ...refusal, code: 'PLACEMENT_REVISION_FUTURE' };
    case 'STORE_FULL': {
      const detail = `it would hold ${refusal.bytes} of ${refusal.limit} bytes: delete keys, or compact the history`;
      return { code: 'PLACEMENT_FULL', detail };
    }
    default:
      return unreachable(refusal);
  }
}
