import {
  type Delivery,
  keepMessage,
  type Message,
  type SharedGroup,
  type Subscription,
  type Topic,
} from '@robustmq/broker';
import { ExchangeState } from '@robustmq/mqtt-session';
import { filterMatchesTopic } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { BrokerGroups } from './broker-log.ts';
import { DurableGroup, groupKeyOf } from './durable-group.ts';
import type { DurableLog } from './durable-log.ts';
import { embeddedLog } from './embedded-log.ts';
import { mayHave, memberCanQueue, memberCanTake } from './group-members.ts';
import { OPERATION, RECORD_KIND } from './operations.ts';

/** What recovery knows of a group before its members are there. */
interface RestoredGroup {
  position: number | null;
  readonly pending: Set<number>;
}

/**
 * Shared groups with a durable member read the journal like a session does: each message goes to one
 * member with room; with none it stays in the journal, and so nothing is lost while all members are
 * away (MQTT-5.0 §4.8.2).
 */
export class GroupRegistry implements BrokerGroups {
  readonly #context: BrokerContext;
  readonly #groups = new Map<string, DurableGroup>();
  readonly #restored = new Map<string, RestoredGroup>();
  readonly #dirty = new Set<string>();

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  get #log(): DurableLog {
    return embeddedLog(this.#context);
  }

  markDirty(key: string): void {
    this.#dirty.add(key);
  }

  /** A message of QoS 1 or 2 for a group that reads the journal; it is in the open batch. */
  deliver(shared: SharedGroup, message: Message): void {
    const group = shared.state as DurableGroup;
    const { consumer } = group;
    const { offset, start, end } = this.#log.appended;
    if (!consumer.live) {
      const delivery = shared.members[0];
      if (consumer.wantsMissed && delivery !== undefined) {
        const record = { topic: message.topic, kind: RECORD_KIND.message, offset, start, end };
        this.#log.miss(consumer, delivery, record);
      }
      return;
    }
    const record = { offset, kind: RECORD_KIND.message, bytes: null, start, end };
    if (!group.give(message, record)) {
      consumer.fallBehind(offset);
      this.#log.operations.group(OPERATION.groupPosition, group.key, offset);
    }
  }

  memberJoined(shared: SharedGroup): void {
    if (shared.state === null && shared.durable) this.#makeDurable(shared);
    (shared.state as DurableGroup | null)?.goOn();
  }

  memberLeft(shared: SharedGroup): void {
    const group = shared.state as DurableGroup | null;
    if (group === null) return;
    if (shared.members.length === 0 || !shared.durable) this.#drop(group);
    else group.goOn();
  }

  /** Options of a member changed: the group's copy of them follows. */
  memberChanged(shared: SharedGroup, subscription: Subscription): void {
    shared.replace(subscription);
  }

  /** A session is back: its groups may go on. */
  memberReturned(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      if (subscription.group !== null) this.memberJoined(subscription.group);
    }
  }

  roomAvailable(session: ClientSession): void {
    for (const subscription of session.subscriptions.values()) {
      (subscription.group?.state as DurableGroup | null | undefined)?.goOn();
    }
  }

  memberAway(_session: ClientSession): void {
    // What it has open stays its own until its session ends; the next message goes to another.
  }

  /** A session is over: what it did not acknowledge goes to another member. */
  sessionEnded(session: ClientSession): void {
    for (const { message, delivery } of session.takeShared()) {
      if (delivery.group !== null) this.offerToAnother(delivery.group, message);
    }
    const touched = this.#returnOpen(session);
    for (const subscription of session.subscriptions.values()) {
      if (subscription.group !== null) this.memberLeft(subscription.group);
    }
    for (const group of touched) group.goOn();
  }

  /** Gives a message that is in no journal record of the group (any more) to one of its members. */
  offerToAnother(group: SharedGroup, message: Message): void {
    const { counters, encoder, log } = this.#context;
    const member =
      group.pick(message, '', memberCanTake) ??
      group.pick(message, '', memberCanQueue) ??
      // One that is away, but durable, finds it when it returns.
      group.members.find((each) => each.subscriber.durable && mayHave(each, message.topic));
    if (member === undefined) {
      if (group.members.length > 0) counters.droppedNotAuthorized += 1;
      else counters.droppedNoSubscriber += 1;
      return;
    }
    const session = member.subscriber as ClientSession;
    if (session.durable && message.qos > 0) {
      if (log.full) return;
      const kept = keepMessage(message);
      // A direct record keeps the flag as it is written.
      kept.retain = message.retain && member.retainAsPublished;
      log.deliverDirect(session, member, kept);
      return;
    }
    encoder.load(message, this.#context.nowMs());
    session.deliver(message, member);
  }

  /** An ephemeral member of a durable group acknowledged a message. */
  acknowledged(key: string, offset: number): void {
    this.#groups.get(key)?.acknowledged(offset);
  }

  /** A durable member may not have any more what it has open: others may. In one batch with its release. */
  giveBack(key: string, offset: number): void {
    const group = this.#groups.get(key);
    group?.giveBack(offset);
    group?.goOn();
  }

  /** Access rules were read again: who was passed over may be the right one now. */
  rightsChanged(): void {
    for (const group of this.#groups.values()) group.goOn();
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

  all(): IterableIterator<DurableGroup> {
    return this.#groups.values();
  }

  /** The oldest record that some group still needs. */
  oldestPlace(next: number): number {
    let oldest = next;
    for (const group of this.#groups.values()) {
      oldest = Math.min(oldest, group.placeInLog(next));
    }
    return oldest;
  }

  /** As {@link rewindTo} of the same name: the journal ends at `next`. */
  rewindTo(next: number): void {
    for (const group of this.#groups.values()) group.rewindTo(next);
  }

  restorePosition(key: string, position: number): void {
    this.#restoredOf(key).position = position;
  }

  /** @param standing  `pending`: it is the group's to give; `done`: no longer */
  restorePending(key: string, offset: number, standing: 'pending' | 'done'): void {
    const { pending } = this.#restoredOf(key);
    if (standing === 'pending') pending.add(offset);
    else pending.delete(offset);
    this.#dirty.add(key);
  }

  forgetPosition(key: string): void {
    this.#restored.delete(key);
    this.#dirty.add(key);
  }

  /** After recovery, when every subscription is in place. */
  restoreGroups(next: number): void {
    for (const shared of this.#context.router.groups()) {
      if (!shared.durable) continue;
      const known = this.#restored.get(groupKeyOf(shared));
      const position = Math.min(known?.position ?? next, next);
      const group = new DurableGroup(this.#context, shared, position);
      shared.state = group;
      this.#groups.set(group.key, group);
      for (const offset of known?.pending ?? []) group.restoreReturned(offset);
    }
    this.#restored.clear();
  }

  /** For the checkpoint: the place and what is pending of each group that changed, null: it is gone. */
  takeDirty(
    next: number,
  ): (readonly [key: string, state: { place: number; pending: readonly number[] } | null])[] {
    const changed = [...this.#dirty].map((key) => {
      const group = this.#groups.get(key);
      if (group === undefined) return [key, null] as const;
      const place = group.consumer.placeInLog(next);
      return [key, { place, pending: group.pendingOffsets }] as const;
    });
    this.#dirty.clear();
    return changed;
  }

  #restoredOf(key: string): RestoredGroup {
    const known = this.#restored.get(key) ?? { position: null, pending: new Set<number>() };
    this.#restored.set(key, known);
    return known;
  }

  #makeDurable(shared: SharedGroup): void {
    const group = new DurableGroup(this.#context, shared, 'live');
    shared.state = group;
    this.#groups.set(group.key, group);
    this.#dirty.add(group.key);
    const log = this.#log;
    log.operations.group(OPERATION.groupPosition, group.key, log.nextOffset);
  }

  #drop(group: DurableGroup): void {
    group.group.state = null;
    this.#groups.delete(group.key);
    this.#dirty.add(group.key);
    this.#log.operations.text(OPERATION.groupEnded, group.key);
    group.dissolve();
  }

  /**
   * What an ended session had open by a group is the group's again, in the batch that ends the
   * session. Not what it was sent with QoS 2 (MQTT-5.0 [MQTT-4.8.2-5]).
   */
  #returnOpen(session: ClientSession): ReadonlySet<DurableGroup> {
    const touched = new Set<DurableGroup>();
    for (const { identifier, by, offset } of session.givenExchanges()) {
      const group = this.#groups.get(by);
      const state = session.window.stateOf(identifier);
      const isOpen = state === ExchangeState.awaitingPuback || state === ExchangeState.assigned;
      if (group === undefined || !isOpen) continue;
      if (session.durable) group.giveBack(offset);
      else group.takeBack(offset);
      touched.add(group);
    }
    return touched;
  }
}
