/** Why a process of the placement center does not start, or can't go on. Codes are API. */
export type PlacementCenterFaultCode =
  /** The data directory belongs to another cluster or member than the configuration says. */
  | 'PLACEMENT_CENTER_IDENTITY'
  /** A peer says that this member, or itself, is not who the configuration takes it for. */
  | 'PLACEMENT_CENTER_WRONG_PEER'
  /** Another member refuses this one: it lost its disk, or belongs to another cluster. */
  | 'PLACEMENT_CENTER_REFUSED'
  /** The Raft log or the store of this member can't be written or trusted any more. */
  | 'PLACEMENT_CENTER_FAILED'
  /** A backup file is damaged, cut off, or of another format. */
  | 'PLACEMENT_CENTER_BACKUP';

/** The message is a sentence for operators: what is wrong and what to do. */
export class PlacementCenterError extends Error {
  override readonly name = 'PlacementCenterError';
  readonly code: PlacementCenterFaultCode;

  constructor(code: PlacementCenterFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
