/** An invariant of rung R1 that did not hold; ends the simulation. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export type Invariant =
  | 'election safety'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'committed entry changed'
  | 'commit without durable quorum'
  | 'promise before the disk'
  | 'lease beside a new leader'
  | 'retry applied twice'
  | 'lease ended early'
  | 'lease does not end'
  | 'watch'
  | 'linearizability'
  | 'acknowledged append'
  | 'shard offsets'
  | 'shard order'
  | 'shard fence'
  | 'assertion'
  | 'determinism'
  | 'no leader after healing'
  | 'nodes differ after healing';
