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
