import type { Delivery } from '@robustmq/broker';
import type { JournalFault } from '@robustmq/journal';
import type { BrokerGroups } from '../durable/broker-log.ts';
import type { Deal } from '../durable/message-record.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { MessageShards } from './message-shards.ts';
import type { RecordInHand } from './record-in-hand.ts';

/** What a {@link SessionCursor} has of its broker. */
export interface CursorHost {
  readonly shards: MessageShards;
  readonly groups: BrokerGroups;
  /** For readers of the journal; the feeds have their own. */
  readonly record: RecordInHand;
  nowMs(): number;
  /** Every record below was handed to who is live. */
  feedPosition(shard: number): number;
  /** All that was acknowledged by this broker, or seen by it, is below. */
  knownEnd(shard: number): number;
  /** All that this broker still has under way is at or behind it. */
  watermark(shard: number): number;
  /** Opens an exchange, whose PUBLISH leaves when the session's record has it. */
  planExactlyOnce(session: ClientSession, delivery: Delivery, record: RecordInHand): void;
  /** The session's record is written anew within a moment. */
  progressed(session: ClientSession): void;
  /**
   * A group dealt the message to a session that is no member any more.
   *
   * @param denied  the session is a member, but has no right to it; null: it is none
   */
  giveBack(record: RecordInHand, deal: Deal, denied: string | null): void;
  /** A message was too old to be delivered. */
  expired(): void;
  /** Messages that it had not read were forgotten. */
  trimmed(session: ClientSession): void;
  corrupt(fault: JournalFault): void;
  failed(what: string, error: unknown): void;
}
