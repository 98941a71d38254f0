import type { Delivery, Message, SharedGroup, Subscription, Topic } from '@robustmq/broker';
import { filterMatchesTopic } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { BrokerGroups } from '../durable/broker-log.ts';
import { memberCanQueue, memberCanTake } from '../durable/group-members.ts';
import type { ClientSession } from '../session/client-session.ts';

/**
 * Shared groups of a broker in a cluster: every message goes to a member that is online, on the live
 * path, durable or not. While all members are away messages are dropped and counted, and what a member
 * has open when its broker dies is lost with it.
 */
export class ReplicatedGroups implements BrokerGroups {
  readonly #context: BrokerContext;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  deliver(group: SharedGroup, message: Message): void {
    this.offerToAnother(group, message);
  }

  memberJoined(): void {}

  memberLeft(): void {}

  memberChanged(group: SharedGroup, subscription: Subscription): void {
    group.replace(subscription);
  }

  memberReturned(): void {}

  /** What it had open is kept nowhere: another member gets it, perhaps a second time. */
  memberAway(session: ClientSession): void {
    this.#offerOpen(session);
  }

  roomAvailable(): void {}

  sessionEnded(session: ClientSession): void {
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

  acknowledged(): void {}

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
