import type { Delivery, Topic } from '@robustmq/broker';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { LogConsumer } from './log-consumer.ts';
import { OperationWriter } from './operations.ts';

/** A message of a durable session that leaves when the group is committed. */
export interface PlannedDelivery {
  readonly session: ClientSession;
  readonly delivery: Delivery;
  readonly identifier: number;
  readonly qos: number;
  readonly topic: Topic;
  readonly kind: number;
  /** The record's body; `bytes` null: in the group's own batch. */
  readonly bytes: Uint8Array | null;
  readonly start: number;
  readonly end: number;
}

/** A message that a consumer which is still catching up must get after what it reads. */
export interface MissedRecord {
  readonly consumer: LogConsumer;
  readonly delivery: Delivery;
  readonly topic: Topic;
  readonly kind: number;
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Everything that waits for one flush of the journal: acknowledgements to publishers, deliveries to
 * durable sessions, PUBRELs, and whatever else may be said only when it is durable. Reused.
 */
export class CommitGroup {
  readonly operations: OperationWriter = new OperationWriter();
  readonly ackConnections: ClientConnection[] = [];
  readonly ackHeaders: number[] = [];
  readonly ackIdentifiers: number[] = [];
  readonly ackReasonCodes: number[] = [];
  /** 1 when the acknowledgement vouches for a record of this group; it is refused when the append fails. */
  readonly ackDurable: number[] = [];
  readonly deliveries: PlannedDelivery[] = [];
  readonly missed: MissedRecord[] = [];
  /** Run in order after the acknowledgements and deliveries; `false`: the append failed. */
  readonly callbacks: ((committed: boolean) => void)[] = [];
  bytes: Uint8Array | null = null;
  /** The bytes are referred to by a later group: they are not reused. */
  pinned = false;

  get isEmpty(): boolean {
    return (
      this.operations.length === 0 &&
      this.ackConnections.length === 0 &&
      this.deliveries.length === 0 &&
      this.callbacks.length === 0
    );
  }

  clear(): void {
    this.operations.clear();
    this.ackConnections.length = 0;
    this.ackHeaders.length = 0;
    this.ackIdentifiers.length = 0;
    this.ackReasonCodes.length = 0;
    this.ackDurable.length = 0;
    this.deliveries.length = 0;
    this.missed.length = 0;
    this.callbacks.length = 0;
    this.bytes = null;
    this.pinned = false;
  }
}
