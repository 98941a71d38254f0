import { unreachable } from '@robustmq/errors';
import { LevelStateError, type LevelStateFault } from '@robustmq/level-state';

/** Why the store can't go on. Codes are API. */
export type PlacementStoreFault =
  /** Another process, or someone else in this one, has the directory. */
  | { readonly code: 'PLACEMENT_STORE_IN_USE'; readonly detail: string }
  /** What is on disk can't be trusted; this member must be built anew. */
  | { readonly code: 'PLACEMENT_STORE_CORRUPT'; readonly detail: string }
  /** The directory holds something else, or the state of a later version. */
  | { readonly code: 'PLACEMENT_STORE_UNKNOWN_FORMAT'; readonly detail: string }
  /** The disk refused; what was applied since the last flush may be lost. */
  | { readonly code: 'PLACEMENT_STORE_IO_FAILED'; readonly detail: string }
  /** A committed entry is no command that this version knows. */
  | { readonly code: 'PLACEMENT_STORE_UNKNOWN_COMMAND'; readonly detail: string }
  /** An installed snapshot was damaged or cut off; the old content stays. */
  | { readonly code: 'PLACEMENT_STORE_SNAPSHOT_DAMAGED'; readonly detail: string }
  | { readonly code: 'PLACEMENT_STORE_CLOSED'; readonly detail: string };

/** A failure of the store; the message is a sentence for operators. */
export class PlacementStoreError extends Error {
  override readonly name = 'PlacementStoreError';
  readonly fault: PlacementStoreFault;

  constructor(fault: PlacementStoreFault, options?: ErrorOptions) {
    super(fault.detail, options);
    this.fault = fault;
  }
}

/** A failure of the state below, as the store tells it; anything else as it is. */
export function placementStoreFault(error: unknown): unknown {
  if (!(error instanceof LevelStateError)) return error;
  const { code, detail } = error.fault;
  return new PlacementStoreError({ code: codeOf(code), detail }, { cause: error.cause ?? error });
}

function codeOf(code: LevelStateFault['code']): PlacementStoreFault['code'] {
  switch (code) {
    case 'LEVEL_STATE_IN_USE':
      return 'PLACEMENT_STORE_IN_USE';
    case 'LEVEL_STATE_CORRUPT':
      return 'PLACEMENT_STORE_CORRUPT';
    case 'LEVEL_STATE_UNKNOWN_FORMAT':
      return 'PLACEMENT_STORE_UNKNOWN_FORMAT';
    case 'LEVEL_STATE_IO_FAILED':
      return 'PLACEMENT_STORE_IO_FAILED';
    case 'LEVEL_STATE_CLOSED':
      return 'PLACEMENT_STORE_CLOSED';
    default:
      return unreachable(code);
  }
}
