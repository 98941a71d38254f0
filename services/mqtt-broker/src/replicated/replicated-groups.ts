import type { Delivery, Message, SharedGroup, Subscription, Topic } from '@robustmq/broker';
import { filterMatchesTopic } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerGroups } from '../durable/broker-log.ts';
import type { Gift, GiftOutcome } from '../cluster/contract.ts';
import { memberCanQueue, memberCanTake } from '../durable/group-members.ts';
import type { ClientSession } from '../session/client-session.ts';
import { GiftsInHand } from './gifts-in-hand.ts';
import type { GroupDealer } from './group-dealer.ts';
import { MemberRooms } from './member-rooms.ts';

/** Marks a group as dealt out of the journal. */
const DEALT = {};

/**
 * Shared groups of a broker in a cluster. One that has a durable member somewhere is *dealt*: its messages
 * of QoS 1 and 2 wait in the journal, and one broker deals them to the members. Of all others
 * every message goes to a member that is online, on the live path.
 */
export class ReplicatedGroups implements BrokerGroups {
  readonly #context: BrokerContext;
  readonly #rooms: MemberRooms;
  readonly #gifts: GiftsInHand;
  readonly #dealers = new Map<string, GroupDealer>();
  readonly #ended = new WeakSet<ClientSession>();

  constructor(context: BrokerContext) {
    this.#context = context;
    this.#rooms = new MemberRooms(context);
    this.#gifts = new GiftsInHand(context);
  }

  addDealer(dealer: GroupDealer): void {
    this.#dealers.get(dealer.term.key)?.stop();
    this.#dealers.set(dealer.term.key, dealer);
  }

  removeDealer(dealer: GroupDealer): void {
    const { key } = dealer.term;
    if (this.#dealers.get(key) === dealer) this.#dealers.delete(key);
  }

  /** null: another broker deals that group, or nobody. */
  dealerOf(key: string): GroupDealer | null {
    return this.#dealers.get(key) ?? null;
  }

  dealers(): IterableIterator<GroupDealer> {
    return this.#dealers.values();
  }

  /** The dealer of a group has a message for an ephemeral member here. */
  async receive(gift: Gift): Promise<GiftOutcome> {
    const session = this.#context.sessions.find(gift.clientId);
    if (session !== undefined) this.#rooms.arrived(session, gift.key);
    return this.#gifts.receive(gift);
  }

  /** A dealt message of the group came to the session. */
  arrived(session: ClientSession, key: string): void {
    this.#rooms.arrived(session, key);
  }

  /** Whether the session, which ended here, was a member of a group. */
  wasMember(session: ClientSession): boolean {
    return this.#ended.has(session);
  }

  tick(): void {
    this.#rooms.tick();
  }

  stop(): void {
    for (const dealer of [...this.#dealers.values()]) dealer.stop();
    this.#rooms.stop();
  }

  /** Only of dealt groups: the message is in the journal, if it has not been refused. */
  deliver(): void {}

  /** Also when the group has become dealt, or is so no more. */
  memberJoined(group: SharedGroup): void {
    const key = `${group.shareName}/${group.filter}`;
    const isDealt = this.#context.cluster?.groups.isDealt(key) === true;
    group.state = isDealt ? DEALT : null;
    if (isDealt) this.#rooms.groupChanged(group);
  }

  memberLeft(): void {}

  memberChanged(group: SharedGroup, subscription: Subscription): void {
    group.replace(subscription);
  }

  memberReturned(session: ClientSession): void {
    this.#rooms.returned(session);
  }

  /** What it had open is kept nowhere: another member gets it, perhaps a second time. */
  memberAway(session: ClientSession): void {
    this.#rooms.away(session);
    this.#gifts.gone(session);
    this.#offerOpen(session);
  }

  roomAvailable(session: ClientSession): void {
    this.#rooms.roomAvailable(session);
  }

  sessionEnded(session: ClientSession): void {
    if (session.durable) {
      for (const { group } of session.subscriptions.values()) {
        if (group !== null) this.#ended.add(session);
      }
    }
    this.#gifts.gone(session);
    this.#offerOpen(session);
  }

  offerToAnother(group: SharedGroup, message: Message): void {
    const { counters, encoder } = this.#context;
    const member =
      group.pick(message, '', memberCanTake) ?? group.pick(message, '', memberCanQueue);
    if (member === null) {
      if (group.members.length > 0) counters.droppedNotAuthorized += 1;
      else counters.droppedNoSubscriber += 1;
      return;
    }
    encoder.load(message, this.#context.nowMs());
    (member.subscriber as ClientSession).deliver(message, member);
  }

  acknowledged(key: string, place: number): void {
    this.#gifts.acknowledged(key, place);
  }

  giveBack(): void {}

  rightsChanged(): void {}

  deliveryFor(session: ClientSession, topic: Topic): Delivery | null {
    for (const { group } of session.subscriptions.values()) {
      if (group === null || !filterMatchesTopic(group.filter, topic.name)) continue;
      const member = group.members.find((candidate) => candidate.subscriber === session);
      if (member !== undefined) return member;
    }
    return null;
  }

  #offerOpen(session: ClientSession): void {
    for (const { message, delivery } of session.takeShared()) {
      if (delivery.group !== null) this.offerToAnother(delivery.group, message);
    }
  }
}
