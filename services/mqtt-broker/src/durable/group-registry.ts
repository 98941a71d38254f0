import {
  type Delivery,
  keepMessage,
  Message,
  type SharedGroup,
  type Subscription,
  type Topic,
} from '@robustmq/broker';
import type { RecordSelector } from '@robustmq/journal';
import { filterMatchesTopic, hasWildcard } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { type ConsumedRecord, type ConsumerOwner, LogConsumer } from './log-consumer.ts';
import { readMessageRecord } from './message-record.ts';
import { OPERATION, RECORD_KIND } from './operations.ts';
import { giveToMember, redispatch } from './redispatch.ts';
import { isExpired } from './session-consumer.ts';

/** The place in the journal of one shared group that has a durable member. */
class DurableGroup implements ConsumerOwner {
  readonly key: string;
  readonly group: SharedGroup;
  readonly consumer: LogConsumer;
  readonly #context: BrokerContext;
  readonly #message: Message;

  constructor(context: BrokerContext, group: SharedGroup, position: number | 'live') {
    this.#context = context;
    this.group = group;
    this.key = groupKeyOf(group);
    this.consumer = new LogConsumer(context, this, position);
    this.#message = new Message(context.router.topicOf('-'));
  }

  get hasRoom(): boolean {
    return this.group.members.some(memberHasRoom);
  }

  selector(): RecordSelector {
    const { filter } = this.group;
    if (!hasWildcard(filter)) return { kind: 'topics', exact: [filter], matches: null };
    return {
      kind: 'topics',
      exact: [],
      matches: (topic) => topic.charCodeAt(0) !== 0 && filterMatchesTopic(filter, topic),
    };
  }

  deliveryOf(topic: Topic, _offset: number, kind: number): Delivery | null {
    if (kind !== RECORD_KIND.message || !filterMatchesTopic(this.group.filter, topic.name))
      return null;
    return this.group.members[0] ?? null;
  }

  take(record: ConsumedRecord): boolean {
    const context = this.#context;
    const bytes = record.bytes ?? context.log.openBytes;
    // A QoS 0 message is in the journal because it is retained: it waits for nobody.
    if (((bytes[record.start] as number) & 0x03) === 0) return true;
    if (isExpired(bytes, record.start, context.nowMs())) {
      context.counters.droppedExpired += 1;
      return true;
    }
    const message = this.#message;
    readMessageRecord(bytes, record, { message, topic: record.topic, kind: RECORD_KIND.message });
    return this.give(message, record);
  }

  /** Gives a journaled message to a member with room. @returns false when there is none */
  give(
    message: Message,
    record: {
      readonly offset: number;
      readonly bytes: Uint8Array | null;
      readonly start: number;
      readonly end: number;
    },
  ): boolean {
    const context = this.#context;
    const publisherId = (message.publisher as ClientSession | null)?.clientId ?? '';
    const member = this.group.pick(message, publisherId, memberHasRoom);
    if (member === null) return false;
    const session = member.subscriber as ClientSession;
    if (!session.mayReceive(message.topic, member)) return true;
    const qos = Math.min(message.qos, member.qos);
    if (qos === 0 || !session.durable) {
      context.encoder.load(message, context.nowMs());
      session.deliver(message, member);
    } else {
      context.log.plan(session, member, {
        topic: message.topic,
        kind: RECORD_KIND.message,
        qos,
        offset: record.offset,
        bytes: record.bytes,
        start: record.start,
        end: record.end,
      });
    }
    context.log.operations.group(OPERATION.groupPosition, this.key, record.offset + 1);
    context.groups.markDirty(this.key);
    return true;
  }

  forget(): void {
    // The group has one filter, and it never changes.
  }

  placeChanged(): void {
    this.#context.groups.markDirty(this.key);
  }
}

/**
 * Shared groups with a durable member read the journal like a session does: each message goes to one
 * member with room; with none it stays in the journal, and so nothing is lost while all members are
 * away (MQTT-5.0 §4.8.2).
 */
export class GroupRegistry {
  readonly #context: BrokerContext;
  readonly #groups = new Map<string, DurableGroup>();
  readonly #restored = new Map<string, number>();
  readonly #dirty = new Set<string>();

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  markDirty(key: string): void {
    this.#dirty.add(key);
  }

  /** A message of QoS 1 or 2 for a group that reads the journal; it is in the open batch. */
  deliver(
    shared: SharedGroup,
    message: Message,
    appended: { readonly offset: number; readonly start: number; readonly end: number },
  ): void {
    const group = shared.state as DurableGroup;
    const { consumer } = group;
    const { offset, start, end } = appended;
    if (!consumer.live) {
      const delivery = shared.members[0];
      if (consumer.wantsMissed && delivery !== undefined) {
        const record = { topic: message.topic, kind: RECORD_KIND.message, offset, start, end };
        this.#context.log.miss(consumer, delivery, record);
      }
      return;
    }
    if (!group.give(message, { offset, bytes: null, start, end })) {
      consumer.fallBehind(offset);
      this.#context.log.operations.group(OPERATION.groupPosition, group.key, offset);
    }
  }

  memberJoined(shared: SharedGroup): void {
    if (shared.state === null && shared.durable) this.#makeDurable(shared);
    (shared.state as DurableGroup | null)?.consumer.roomAvailable();
  }

  memberLeft(shared: SharedGroup): void {
    const group = shared.state as DurableGroup | null;
    if (group === null) return;
    if (shared.members.length === 0 || !shared.durable) this.#drop(group);
    else group.consumer.roomAvailable();
  }

  /** Options of a member changed: the group's copy of them follows. */
  memberChanged(shared: SharedGroup, subscription: Subscription): void {
    const index = shared.members.findIndex(
      (member) => member.subscriber === subscription.subscriber,
    );
    if (index < 0) return;
    shared.remove(subscription.subscriber);
    shared.add(subscription);
  }

  /** A session is back: its groups may go on. */
  memberReturned(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      if (subscription.group !== null) this.memberJoined(subscription.group);
    }
  }

  roomAvailable(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      (subscription.group?.state as DurableGroup | null | undefined)?.consumer.roomAvailable();
    }
  }

  memberAway(_session: ClientSession): void {
    // What it has open stays its own until its session ends; the next message goes to another.
  }

  /** A session is over: what it did not acknowledge goes to another member. */
  sessionEnded(session: ClientSession): void {
    for (const { message, delivery } of session.takeShared()) {
      const { group } = delivery;
      if (group !== null && group.state !== null && message.qos > 0 && !this.#context.log.full) {
        // The group's place has passed it: a durable member keeps it even while all are away.
        giveToMember(this.#context, group, keepMessage(message));
        continue;
      }
      const other = group?.pick(message, '', memberHasRoom) ?? group?.pick(message, '', online);
      if (other == null) continue;
      this.#context.encoder.load(message, this.#context.nowMs());
      other.subscriber.deliver(message, other);
    }
    this.#returnJournaled(session);
    for (const subscription of session.subscriptions.values()) {
      if (subscription.group !== null) this.memberLeft(subscription.group);
    }
  }

  /** How a session gets messages of `topic` through its groups: to repeat one. */
  deliveryFor(session: ClientSession, topic: Topic): Delivery | null {
    for (const subscription of session.subscriptions.values()) {
      const { group } = subscription;
      if (group === null || !filterMatchesTopic(group.filter, topic.name)) continue;
      const member = group.members.find((candidate) => candidate.subscriber === session);
      if (member !== undefined) return member;
    }
    return null;
  }

  /** The oldest record that some group still needs. */
  oldestPlace(next: number): number {
    let oldest = next;
    for (const group of this.#groups.values()) {
      oldest = Math.min(oldest, group.consumer.placeInLog(next));
    }
    return oldest;
  }

  /** As {@link rewindTo} of the same name: the journal ends at `next`. */
  rewindTo(next: number): void {
    for (const group of this.#groups.values()) group.consumer.rewindTo(next);
  }

  restorePosition(key: string, position: number): void {
    this.#restored.set(key, position);
  }

  forgetPosition(key: string): void {
    this.#restored.delete(key);
    this.#dirty.add(key);
  }

  /** After recovery, when every subscription is in place. */
  restoreGroups(next: number): void {
    for (const shared of this.#context.router.groups()) {
      if (!shared.durable) continue;
      const key = groupKeyOf(shared);
      const position = Math.min(this.#restored.get(key) ?? next, next);
      const group = new DurableGroup(this.#context, shared, position);
      shared.state = group;
      this.#groups.set(key, group);
    }
    this.#restored.clear();
  }

  takeDirty(next: number): (readonly [key: string, position: number | null])[] {
    const changed = [...this.#dirty].map((key) => {
      const group = this.#groups.get(key);
      return [key, group === undefined ? null : group.consumer.placeInLog(next)] as const;
    });
    this.#dirty.clear();
    return changed;
  }

  #makeDurable(shared: SharedGroup): void {
    const group = new DurableGroup(this.#context, shared, 'live');
    shared.state = group;
    this.#groups.set(group.key, group);
    this.#dirty.add(group.key);
    const { log } = this.#context;
    log.operations.group(OPERATION.groupPosition, group.key, log.nextOffset);
  }

  #drop(group: DurableGroup): void {
    group.consumer.stop();
    group.group.state = null;
    this.#groups.delete(group.key);
    this.#dirty.add(group.key);
    this.#context.log.operations.text(OPERATION.groupEnded, group.key);
  }

  /** Journaled messages that an ended session had open go to other members. */
  #returnJournaled(session: ClientSession): void {
    if (!session.durable || !session.hasWindow) return;
    const groups = [...session.subscriptions.values()]
      .map((subscription) => subscription.group)
      .filter((group) => group !== null && group.members.length > 0) as SharedGroup[];
    if (groups.length > 0) redispatch(this.#context, session, groups);
  }
}

function memberHasRoom(member: Delivery): boolean {
  const session = member.subscriber as ClientSession;
  return session.hasRoom && !session.resending;
}

function online(member: Delivery): boolean {
  return member.subscriber.online;
}

/** Stable name of a group in the journal. */
export function groupKeyOf(group: SharedGroup): string {
  return `${group.shareName}/${group.filter}`;
}
