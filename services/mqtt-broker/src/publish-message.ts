import type { Delivery, Message, SharedGroup } from '@robustmq/broker';
import type { BrokerContext } from './broker-context.ts';
import { memberCanQueue, memberCanTake } from './durable/group-members.ts';
import type { ClientSession } from './session/client-session.ts';

export const PublishOutcome = {
  noSubscriber: 0,
  /** Handed to whoever is online; nobody's journal waits for it. */
  live: 1,
  /** In the open commit group: acknowledge with it. */
  durable: 2,
  /** The journal is full: not taken by anybody. */
  refused: 3,
  /** Delivered to nobody: there is no room for another retained message. */
  retainRefused: 4,
} as const;
export type PublishOutcome = (typeof PublishOutcome)[keyof typeof PublishOutcome];

/**
 * Routes one message: to the journal when a durable reader or its retention needs it, to everybody
 * who is online at once, to one member of each shared group.
 *
 * The message is borrowed. All or nothing: a refused message reaches nobody.
 */
export function publishMessage(
  context: BrokerContext,
  message: Message,
  publisher: ClientSession | null,
): PublishOutcome {
  const { router, encoder, log } = context;
  const match = router.match(message.topic);
  const durable = message.qos > 0 && (match.durable.length > 0 || match.sharedDurable);
  if (message.retain && !retainable(context, message)) return PublishOutcome.retainRefused;
  const journaled = durable || (message.retain && !message.topic.reserved);
  const stored = journaled && !log.full && log.hasRoomFor(message);
  if (journaled && !stored && message.qos > 0) return PublishOutcome.refused;
  encoder.load(message, message.expiresAtMs === 0 ? 0 : context.nowMs());
  const live = match.live;
  for (let index = 0; index < live.length; index += 1) {
    const delivery = live[index] as Delivery;
    delivery.subscriber.deliver(message, delivery);
  }
  if (message.qos === 0 && match.durable.length > 0)
    deliverToDurableAtMostOnce(match.durable, message);
  if (stored) log.append(message, publisher, durable ? match : null);
  const shared = match.shared;
  for (let index = 0; index < shared.length; index += 1) {
    deliverShared(context, shared[index] as SharedGroup, message, publisher);
  }
  if (message.retain && (message.topic.reserved || !log.bringsRetained)) {
    retain(context, message, publisher);
  }
  if (stored) return PublishOutcome.durable;
  if (live.length > 0 || match.durable.length > 0 || shared.length > 0) return PublishOutcome.live;
  if (!message.topic.reserved) context.counters.droppedNoSubscriber += 1;
  return PublishOutcome.noSubscriber;
}

function deliverToDurableAtMostOnce(durable: readonly Delivery[], message: Message): void {
  for (const delivery of durable) delivery.subscriber.deliver(message, delivery);
}

function deliverShared(
  context: BrokerContext,
  group: SharedGroup,
  message: Message,
  publisher: ClientSession | null,
): void {
  if (message.qos > 0 && group.state !== null) {
    context.groups.deliver(group, message);
    return;
  }
  const publisherId = publisher?.clientId ?? '';
  // Whoever has no right to it is passed over: the message is the group's, not the member's.
  const member =
    group.pick(message, publisherId, memberCanTake) ??
    group.pick(message, publisherId, memberCanQueue);
  if (member !== null) {
    member.subscriber.deliver(message, member);
    return;
  }
  if (group.members.some(({ subscriber }) => subscriber.online)) {
    context.counters.droppedNotAuthorized += 1;
  } else context.counters.droppedNoSubscriber += 1;
}

/** Whether the retained store has room, or the message removes one. */
function retainable(context: BrokerContext, message: Message): boolean {
  return message.payloadLength === 0 || context.retained.hasRoomFor(message);
}

/** Keeps, replaces or (with an empty payload) removes the retained message (MQTT-5.0 [MQTT-3.3.1-5], [MQTT-3.3.1-6]). */
function retain(context: BrokerContext, message: Message, publisher: ClientSession | null): void {
  const { retained } = context;
  // The session itself would be kept alive; its name is enough for "no local".
  if (message.payloadLength > 0) retained.set(message, publisher?.clientId ?? '');
  else retained.delete(message.topic.bytes);
}
