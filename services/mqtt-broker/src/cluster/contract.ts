import type { ProducerName } from '@robustmq/journal';
import type { Redirection } from './broker-drain.ts';
import type { PublishOutcome } from '../publish-message.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { WillMessage } from '../session/will-message.ts';

/**
 * What a broker asks of its cluster. `context.cluster` is null in a standalone broker, which pays one
 * comparison for each connect, subscribe and shared message, and nothing for any other message.
 *
 * Calls return at once unless they return a promise; each promise settles by a deadline of the
 * cluster's settings. Nothing throws but mistakes.
 */
export interface BrokerCluster {
  /** Some peer is behind: whoever publishes now is to wait until `context.relievePublishers`. */
  readonly isCongested: boolean;
  /** An operator has it emptied: its clients go elsewhere. */
  readonly isDraining: boolean;

  /** Asked for every new client. null: it is let in; else it is refused and told where to go. */
  redirect(): Redirection | null;
  readonly groups: ClusterGroups;

  /**
   * Between authentication and `sessions.take`: makes this broker the one owner of the client
   * identifier. When it answers `owned`, whoever had it before acts no more, its connection is told 0x8E,
   * and a durable session that there was is in `context.sessions`, unless Clean Start ended it.
   *
   * Calls for one client identifier are answered in their order. The caller takes the session within
   * the turn of the answer, or calls `abandoned`.
   */
  acquire(request: OwnershipRequest): Promise<OwnershipAnswer>;
  /** The connection went away while ownership was asked for; nothing was taken. */
  abandoned(clientId: string, epoch: number): void;

  /** A connection has the session: from CONNACK on its subscriptions are served from here. */
  attached(session: ClientSession): void;
  /**
   * The connection is gone. The session is settled, and its ownership given up or its end told; then it
   * is no longer in `context.sessions`.
   *
   * @param will  due now or after its delay; null: none, or it was deleted by a proper DISCONNECT
   */
  detached(session: ClientSession, will: WillMessage | null): void;

  /**
   * Subscriptions were granted or changed options. Settles when they are stored, for a durable session,
   * and every live broker has applied them: a message published anywhere from then on is delivered.
   */
  subscribed(session: ClientSession, keys: readonly string[]): Promise<InterestOutcome>;
  /** They are gone. Settles when that is stored, for a durable session. */
  unsubscribed(session: ClientSession, keys: readonly string[]): Promise<InterestOutcome>;
}

/** Shared groups with a durable member: one broker, its *dealer*, deals out what is in the journal. */
export interface ClusterGroups {
  /** Whether a durable session is a member, wherever it is. @param key  share name, slash, filter */
  isDealt(key: string): boolean;
  /** Groups that the durable session is a member of. */
  groupsOf(clientId: string): readonly string[];
  /** Whether a durable session beside this one is a member. */
  hasOthers(key: string, clientId: string): boolean;
  /** Tells the dealer how much room a member here has. @throws when no dealer answers: ask again */
  want(key: string, want: MemberRoom): Promise<void>;
  /**
   * The session of the member is over. When it settles, whatever was dealt to it up to this epoch is
   * committed, and nothing more will be.
   *
   * @throws when no dealer answers: nothing may be concluded
   */
  endMember(key: string, member: MemberTerm): Promise<void>;
  /** Tells the dealer that a member has no right to the topic. @throws when no dealer answers */
  deny(key: string, denial: Denial): Promise<void>;
  /**
   * Of the dealer: hands a message to a member whose session ends with its connection, and settles with
   * what became of it. A broker that cannot be asked has `returned` it.
   */
  give(node: number, gift: Gift): Promise<GiftOutcome>;
}

/** A member may not have what is published to the topic. */
export interface Denial {
  readonly clientId: string;
  readonly topic: string;
}

/** A message of a shared group for an ephemeral member. */
export interface Gift {
  readonly key: string;
  readonly clientId: string;
  /** `placeOf` its record. */
  readonly place: number;
  readonly topic: string;
  /** Of `RECORD_KIND`. */
  readonly recordKind: number;
  readonly body: Uint8Array;
}

/**
 * `done`: nobody else gets it. `returned`: the member went before it acknowledged it, or had no room.
 * `denied`: it has no right to it.
 */
export type GiftOutcome = 'done' | 'returned' | 'denied';

/** A member of a group, by the epoch of its session's owner. */
export interface MemberTerm {
  readonly clientId: string;
  readonly epoch: number;
}

export interface MemberRoom extends MemberTerm {
  /** Messages that it can take now, replacing what it said before. */
  readonly room: number;
  /** Granted to a member whose session ends with its connection; null: it is durable. */
  readonly ephemeralQos: number | null;
}

/** A group that this broker is to deal out. */
export interface GroupTerm {
  readonly key: string;
  readonly shareName: string;
  readonly filter: string;
  /** Of its dealer: higher with each one. */
  readonly epoch: number;
}

/** What a dealer knows of a durable member. */
export interface GroupMember {
  readonly clientId: string;
  readonly qos: number;
  readonly retainAsPublished: boolean;
}

/** The dealing out of one group by this broker. */
export interface GroupDealing {
  setMembers(members: readonly GroupMember[]): void;
  /** @param node  where the member is. @returns false: it is not known as a member (yet) */
  want(node: number, want: MemberRoom): boolean;
  deny(denial: Denial): void;
  /** See {@link ClusterGroups.endMember}. */
  endMember(member: MemberTerm, deadlineMs: number): Promise<void>;
  /** Members on other brokers than these have no room any more. */
  keepNodes(alive: ReadonlySet<number>): void;
  /** Another broker deals from now on, or nobody. */
  stop(): void;
  /** The last durable member is gone: the group's place is forgotten. */
  end(): void;
}

/** Who wants to own which session. */
export interface OwnershipRequest {
  readonly clientId: string;
  /** A session belongs to its user; null: none. */
  readonly username: string | null;
  readonly cleanStart: boolean;
  readonly sessionExpirySeconds: number;
  readonly will: WillMessage | null;
}

export type OwnershipAnswer =
  | {
      readonly verdict: 'owned';
      /** Fences every write about the session; 0: it is not stored anywhere. */
      readonly epoch: number;
    }
  | { readonly verdict: 'refuse'; readonly reasonCode: number; readonly reason: string };

export type InterestOutcome =
  | { readonly outcome: 'applied' }
  /** Stored, but some live broker has not confirmed it in time: messages may still miss it for a moment. */
  | { readonly outcome: 'late' }
  /** Not stored: the placement center does not answer, or this broker does not own the session. */
  | { readonly outcome: 'refused'; readonly reason: string };

/** A durable session as the placement center has it. */
export interface StoredSession {
  readonly clientId: string;
  readonly username: string | null;
  /** By which this broker owns it. */
  readonly epoch: number;
  readonly sessionExpirySeconds: number;
  readonly subscriptions: readonly StoredSubscription[];
}

export interface StoredSubscription {
  /** As subscribed, `$share/…` prefix included. */
  readonly key: string;
  readonly qos: number;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0: none. */
  readonly identifier: number;
}

/**
 * What the replicated durable path does for sessions that move between brokers. Each call rejects by
 * `deadlineMs` at the latest, and is safe to repeat.
 */
export interface DurableSessions {
  /**
   * Claims the record of the session by its epoch, so that nothing that an owner before still writes
   * counts, and puts the session into `context.sessions`: offline, with subscriptions, exchanges, receipts
   * and places.
   */
  restore(stored: StoredSession, deadlineMs: number): Promise<void>;

  /**
   * The session has no connection. When this settles, all that it has under way is committed or will
   * never be, its record is written, and this broker writes nothing about it any more.
   */
  settle(session: ClientSession, deadlineMs: number): Promise<void>;

  /**
   * Begins to deal out a group whose dealers before are dead and fenced as producers: from its place on,
   * or from now on when it has none yet.
   *
   * @throws JournalError JOURNAL_FENCED  another broker deals it by now
   */
  deal(
    group: GroupTerm,
    members: readonly GroupMember[],
    deadlineMs: number,
  ): Promise<GroupDealing>;

  /**
   * Removes the record of a session that is over; writers with an epoch below this one are refused. What
   * shared groups dealt to it and it has not acknowledged goes back to them before, but for what it was
   * perhaps sent with QoS 2 (MQTT-5.0 [MQTT-4.8.2-5]).
   */
  forget(clientId: string, epoch: number, deadlineMs: number): Promise<void>;

  /** Whatever this life of a broker has not committed in any shard when this settles never will be. */
  fence(producer: ProducerName, deadlineMs: number): Promise<void>;

  /** See {@link ClusterGroups.give}: the member is here. */
  receive(gift: Gift): Promise<GiftOutcome>;

  /** Nothing that is published to the topic from now on, by this broker or after it, is before it. */
  placeOf(topic: string): number;

  /**
   * Runs `publish`, which publishes one message at most; what the shards keep of it bears the name. Settles
   * when that is committed, with false when the message was refused: then nobody gets it.
   */
  publishAs(name: string, publish: () => PublishOutcome): Promise<boolean>;

  /** Whether the shards keep a message of that name; who may have published it is fenced. */
  isPublished(publication: Publication, deadlineMs: number): Promise<boolean>;
}

/** A message that is to be published once, whoever does it. */
export interface Publication {
  readonly name: string;
  readonly topic: string;
  /** See {@link DurableSessions.placeOf}. */
  readonly from: number;
}
