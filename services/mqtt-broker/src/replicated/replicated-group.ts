import type { ClientConnection } from '../connection/client-connection.ts';
import type { PlannedDelivery } from '../durable/commit-group.ts';
import type { ClientSession } from '../session/client-session.ts';

/** Acknowledges, by index of its arrays, no message of any shard. */
export const NO_SHARD = -1;
/** Acknowledges a message that came before and is perhaps under way: as its receipt is by then. */
export const REPEATED = -2;

/**
 * Everything that waits for one round of appends and writes: acknowledgements to publishers, deliveries
 * of QoS 2, and whatever else may be said only then. Said in the order of the groups.
 */
export class ReplicatedGroup {
  readonly ackConnections: ClientConnection[] = [];
  readonly ackHeaders: number[] = [];
  readonly ackIdentifiers: number[] = [];
  readonly ackReasonCodes: number[] = [];
  /** Shard of the message that it vouches for, {@link NO_SHARD} or {@link REPEATED}. */
  readonly ackShards: number[] = [];
  readonly deliveries: PlannedDelivery[] = [];
  readonly callbacks: ((committed: boolean) => void)[] = [];
  /** Told whether the records of that shard in this group are committed. */
  readonly outcomes: { readonly shard: number; readonly then: (committed: boolean) => void }[] = [];
  /** Whose record must be written with it. */
  readonly sessions: Set<ClientSession> = new Set();
  /** Shards that it has messages for. */
  readonly shards: number[] = [];
  /** Shards that refused their messages of this group. */
  readonly refused: Set<number> = new Set();
  /** Where the messages of this group end, by shard. */
  readonly ends: { readonly shard: number; readonly next: number }[] = [];
  /** Numbers of keyed shards for retained messages that were written to. */
  readonly retainedTables: Set<number> = new Set();
  /** Appends and writes that are under way. */
  parts = 0;
  /** Of its batches. */
  bytesAppended = 0;
  /** Of deliveries: each names its own. */
  readonly bytes = null;

  get isEmpty(): boolean {
    return (
      this.ackConnections.length === 0 &&
      this.deliveries.length === 0 &&
      this.callbacks.length === 0 &&
      this.outcomes.length === 0 &&
      this.sessions.size === 0 &&
      this.retainedTables.size === 0
    );
  }
}
