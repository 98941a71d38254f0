/** Why a state on disk can't go on. Codes are API. */
export type LevelStateFault =
  /** Another process, or someone else in this one, has the directory. */
  | { readonly code: 'LEVEL_STATE_IN_USE'; readonly detail: string }
  /** What is on disk can't be trusted; this member must be built anew. */
  | { readonly code: 'LEVEL_STATE_CORRUPT'; readonly detail: string }
  /** The directory holds something else, or the state of a later version. */
  | { readonly code: 'LEVEL_STATE_UNKNOWN_FORMAT'; readonly detail: string }
  /** The disk refused; what was applied since the last flush may be lost. */
  | { readonly code: 'LEVEL_STATE_IO_FAILED'; readonly detail: string }
  | { readonly code: 'LEVEL_STATE_CLOSED'; readonly detail: string };

/** A failure of the state's database; the message is a sentence for operators. */
export class LevelStateError extends Error {
  override readonly name = 'LevelStateError';
  readonly fault: LevelStateFault;

  constructor(fault: LevelStateFault, options?: ErrorOptions) {
    super(fault.detail, options);
    this.fault = fault;
  }
}
