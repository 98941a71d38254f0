import { unreachable } from '@robustmq/errors';
import type { LeaseId, Revision } from './identifiers.ts';

/** Facts about a failure that a caller can act on. Codes are API. */
export type PlacementFault =
  /** Nothing happened; `leader` is where to ask, as `host:port`, or null while there is none. */
  | { readonly code: 'PLACEMENT_NOT_LEADER'; readonly leader: string | null }
  /** Nothing happened: nobody who may answer was reached in time. */
  | { readonly code: 'PLACEMENT_UNAVAILABLE'; readonly detail: string }
  /** The change may or may not have happened, or may happen yet. */
  | { readonly code: 'PLACEMENT_OUTCOME_UNKNOWN'; readonly detail: string }
  /** Nothing happened: too much waits already; try again after a pause. */
  | { readonly code: 'PLACEMENT_OVERLOADED'; readonly detail: string }
  | { readonly code: 'PLACEMENT_FULL'; readonly detail: string }
  | { readonly code: 'PLACEMENT_INVALID'; readonly detail: string }
  | { readonly code: 'PLACEMENT_UNAUTHENTICATED'; readonly detail: string }
  | { readonly code: 'PLACEMENT_LEASE_NOT_FOUND'; readonly lease: LeaseId }
  | { readonly code: 'PLACEMENT_LEASE_EXISTS'; readonly lease: LeaseId }
  | {
      readonly code: 'PLACEMENT_REVISION_COMPACTED';
      readonly requested: Revision;
      readonly oldest: Revision;
    }
  | {
      readonly code: 'PLACEMENT_REVISION_FUTURE';
      readonly requested: Revision;
      readonly current: Revision;
    }
  | { readonly code: 'PLACEMENT_CLOSED' };

export class PlacementError extends Error {
  override readonly name = 'PlacementError';
  readonly fault: PlacementFault;

  constructor(fault: PlacementFault, options?: ErrorOptions) {
    super(describe(fault), options);
    this.fault = fault;
  }
}

function describe(fault: PlacementFault): string {
  switch (fault.code) {
    case 'PLACEMENT_NOT_LEADER':
      return fault.leader === null
        ? 'the placement group has no leader at the moment'
        : `this member does not lead the placement group; ask ${fault.leader}`;
    case 'PLACEMENT_UNAVAILABLE':
      return `the placement center does not answer: ${fault.detail}`;
    case 'PLACEMENT_OUTCOME_UNKNOWN':
      return `whether the change happened is unknown: ${fault.detail}`;
    case 'PLACEMENT_OVERLOADED':
      return `the placement center has too much to do: ${fault.detail}`;
    case 'PLACEMENT_FULL':
      return `the placement store is full: ${fault.detail}`;
    case 'PLACEMENT_INVALID':
      return `the request is not valid: ${fault.detail}`;
    case 'PLACEMENT_UNAUTHENTICATED':
      return `the placement center refused the credentials: ${fault.detail}`;
    case 'PLACEMENT_LEASE_NOT_FOUND':
      return `lease ${fault.lease} does not exist or has ended`;
    case 'PLACEMENT_LEASE_EXISTS':
      return `lease ${fault.lease} exists already`;
    case 'PLACEMENT_REVISION_COMPACTED':
      return `revision ${fault.requested} is compacted; the oldest kept is ${fault.oldest}`;
    case 'PLACEMENT_REVISION_FUTURE':
      return `revision ${fault.requested} is not reached; the store is at ${fault.current}`;
    case 'PLACEMENT_CLOSED':
      return 'the connection to the placement center is closed';
    default:
      return unreachable(fault);
  }
}
