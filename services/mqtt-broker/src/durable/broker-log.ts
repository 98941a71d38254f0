import type {
  Delivery,
  MatchResult,
  Message,
  SharedGroup,
  Subscription,
  Topic,
} from '@robustmq/broker';
import type { JournalRecord } from '@robustmq/journal';
import { ReasonCode } from '@robustmq/mqtt-codec';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { WillMessage } from '../session/will-message.ts';

/** What a client is told whose message cannot be kept for those that want it. */
export interface LogRefusal {
  readonly reasonCode: number;
  readonly reason: string;
}

/** The disk or the journal takes nothing more. */
export const JOURNAL_IS_FULL: LogRefusal = {
  reasonCode: ReasonCode.quotaExceeded,
  reason: 'the journal is full',
};

/**
 * Where durable messages and the state of durable sessions go, as connections, sessions and wills see
 * it: what comes gathers until it is committed, and then what waited for it is said. `DurableLog` is the
 * journal of a broker of its own, `ReplicatedLog` the shards of a cluster.
 *
 * A *place* is one safe number for one record, such as an offset: it grows within a topic.
 */
export interface BrokerLog {
  /** True while messages are refused. */
  readonly full: boolean;
  /** Why they are, as clients are told. */
  readonly refusal: LogRefusal;
  /** Bytes that wait to be committed: publishers are paused above a mark. */
  readonly backlogBytes: number;
  /** True when nothing waits for a commit. */
  readonly isSettled: boolean;
  /** True when the open group should not grow further in this turn. */
  readonly batchIsLarge: boolean;
  /** False: who publishes a retained message sets it; true: the log brings it, here as everywhere. */
  readonly bringsRetained: boolean;
  readonly gauges: LogGauges;

  hasRoomFor(message: Message): boolean;

  /**
   * Appends a message and serves, or leaves it to, the durable sessions that want it.
   *
   * @param wanted  who; null: nobody, it is appended because it is retained
   */
  append(message: Message, publisher: ClientSession | null, wanted: MatchResult | null): void;

  /** Appends a message for one durable session alone. */
  deliverDirect(session: ClientSession, delivery: Delivery, message: Message): void;

  /**
   * An acknowledgement that leaves when what it vouches for is committed; those of one connection
   * leave in the order of their packets (MQTT-5.0 [MQTT-4.6.0-2], [MQTT-4.6.0-3]).
   *
   * @param vouchesForRecord  it is refused when the append fails
   */
  acknowledge(
    connection: ClientConnection,
    header: number,
    identifier: number,
    vouchesForRecord: boolean,
    reasonCode?: number,
  ): void;

  /** Runs `then` once this broker has the retained messages that were acknowledged before the call. */
  afterRetained(then: () => void): void;
  /**
   * Runs `then` once what is kept of the session, as it is now, is committed; with false when that was
   * refused.
   */
  afterCommit(then: (committed: boolean) => void, session: ClientSession): void;
  /** Resolves at the next commit, whatever it holds. */
  nextCommit(): Promise<void>;
  /** Everything up to now is committed when this resolves. */
  settle(): Promise<void>;
  /** Closes the open group if it may. Called at the end of each turn. */
  flush(): void;

  /** The record at `place`; null when it was trimmed or is damaged. Waits for an append under way. */
  readAt(place: number): Promise<JournalRecord | null>;
  /** Where a subscription made now begins: see `Subscription.since`. */
  subscriptionStart(session: ClientSession): number;

  /** @param code  of `OPERATION`: release, received, receipt or receiptReleased */
  exchange(code: number, session: ClientSession, identifier: number): void;
  /** A new durable session; it reads from now on. Sets its consumer and its number. */
  sessionMade(session: ClientSession): void;
  /** A connection of a durable session came or went. */
  termsChanged(session: ClientSession): void;
  /** @param key  as subscribed: it came, went or has other options */
  subscriptionChanged(session: ClientSession, key: string): void;
  /** The connection is gone: what comes from now on waits for the next one. */
  detached(session: ClientSession): void;
  sessionEnded(session: ClientSession): void;
  /** What to publish should the broker die; null: nothing any more. */
  willChanged(clientId: string, will: WillMessage | null): void;
}

/**
 * After an owner of the session died: what it took of this client and what not, see
 * `RepeatedPublishes`.
 */
export interface RepeatedPublishLookUp {
  /**
   * A PUBLISH with QoS 2 came; it is decoded in the context.
   *
   * @returns true when it waits, with all that comes behind it: it is received again later
   */
  holds(connection: ClientConnection, buffer: Buffer, topic: Topic): boolean;
}

/** How a durable session reads what is for it. */
export interface SessionReader {
  /** Whether each message is handed over as it is committed. */
  readonly live: boolean;
  filtersChanged(): void;
  /** There is room (again): read on if anything is left. */
  roomAvailable(): void;
  stop(): void;
  /** How a message on `topic` at `place` is to be delivered, or null when it is not for the session. */
  deliveryOf(topic: Topic, place: number, kind: number): Delivery | null;
}

/** The shared groups of this broker, as connections and sessions see them. */
export interface BrokerGroups {
  /** A message of QoS 1 or 2 for a group with a durable member; it was appended just before. */
  deliver(group: SharedGroup, message: Message): void;
  memberJoined(group: SharedGroup): void;
  memberLeft(group: SharedGroup): void;
  memberChanged(group: SharedGroup, subscription: Subscription): void;
  memberReturned(session: ClientSession): void;
  memberAway(session: ClientSession): void;
  roomAvailable(session: ClientSession): void;
  /** What it did not acknowledge goes to another member. */
  sessionEnded(session: ClientSession): void;
  offerToAnother(group: SharedGroup, message: Message): void;
  /** An ephemeral member acknowledged what the group `key` gave. */
  acknowledged(key: string, place: number): void;
  /** A durable member may not have any more what it has open. */
  giveBack(key: string, place: number): void;
  rightsChanged(): void;
  /** How a session gets messages of `topic` through its groups. */
  deliveryFor(session: ClientSession, topic: Topic): Delivery | null;
}

/** For `/metrics` and `$SYS`. */
export interface LogGauges {
  /** Of the shard, for log events. */
  readonly name: string;
  readonly bytes: number;
  readonly segments: number;
  readonly oldest: number;
  readonly committed: number;
  readonly next: number;
  readonly appendedRecords: number;
  readonly flushes: number;
}
