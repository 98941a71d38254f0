import type { PlannedDelivery } from '../durable/commit-group.ts';
import type { WaitingAcknowledgement } from './waiting-acknowledgement.ts';

/** What waits for one append to a message shard, or for one write to a keyed shard. */
export class CommitRound {
  readonly acknowledgements: WaitingAcknowledgement[] = [];
  /** Of QoS 2: they leave when the session's record has the exchange. */
  readonly deliveries: PlannedDelivery[] = [];
  /** Told whether it was taken. */
  readonly outcomes: ((committed: boolean) => void)[] = [];

  get isEmpty(): boolean {
    return (
      this.acknowledgements.length === 0 &&
      this.deliveries.length === 0 &&
      this.outcomes.length === 0
    );
  }
}
