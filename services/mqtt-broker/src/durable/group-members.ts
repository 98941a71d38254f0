import type { Delivery, Message, Subscriber, Topic } from '@robustmq/broker';

/** A subscriber that may be a member of a shared group: a session here, or one on another broker. */
export interface SharedMember extends Subscriber {
  /** Room for one more message. */
  readonly hasRoom: boolean;
  readonly queuedCount: number;
  /** Whether the rules let it have messages of `topic`. */
  allows(topic: Topic, delivery: Delivery): boolean;
}

/** What is asked about a member of a shared group before it gets a message. */

export function memberHasRoom(member: Delivery): boolean {
  const session = member.subscriber as SharedMember;
  return session.hasRoom && session.queuedCount === 0;
}

/** Rights, asked for a member that may be away: by its identity. */
export function mayHave(member: Delivery, topic: Topic): boolean {
  return (member.subscriber as SharedMember).allows(topic, member);
}

export function memberCanTake(member: Delivery, message: Message): boolean {
  return memberHasRoom(member) && mayHave(member, message.topic);
}

/** Online and with the right to it: it may have to wait in memory for room. */
export function memberCanQueue(member: Delivery, message: Message): boolean {
  return member.subscriber.online && mayHave(member, message.topic);
}
