import { type Delivery, Message, type SharedGroup, type Topic } from '@robustmq/broker';
import type { RecordSelector } from '@robustmq/journal';
import { filterMatchesTopic, hasWildcard } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { embeddedGroups, embeddedLog } from './embedded-log.ts';
import type { DurableLog } from './durable-log.ts';
import { mayHave, memberCanTake, memberHasRoom } from './group-members.ts';
import { type ConsumedRecord, type ConsumerOwner, isClosed, LogConsumer } from './log-consumer.ts';
import { directNameOf, readMessageRecord } from './message-record.ts';
import { FieldWriter, OPERATION, RECORD_KIND } from './operations.ts';
import { isExpired } from './session-consumer.ts';

/** LIMIT: groupReturnedMax. Above it the group waits with what follows. */
const RETURNED_MAX = 1000;

/** A message of the journal: `bytes` null: in the open batch. */
interface GivenRecord {
  readonly offset: number;
  readonly kind: number;
  readonly bytes: Uint8Array | null;
  readonly start: number;
  readonly end: number;
}

interface Loan {
  readonly session: ClientSession;
  readonly identifier: number;
}

/**
 * One shared group that has a durable member: its place in the journal, and what it has passed but
 * nobody has acknowledged.
 *
 * A message is the group's until it is an open exchange of a durable member (which is durable
 * itself) or acknowledged by an ephemeral one. So it is *returned* to the group, and given to
 * another, when a durable member's session ends, when an ephemeral member or the broker goes, and
 * when only members without room may have it. One that no member may have is dropped and counted.
 *
 * Not so at QoS 2 once its PUBLISH is sent: then it is its receiver's alone, even when the session
 * ends (MQTT-5.0 [MQTT-4.8.2-5]).
 */
export class DurableGroup implements ConsumerOwner {
  readonly key: string;
  readonly group: SharedGroup;
  readonly consumer: LogConsumer;
  readonly #context: BrokerContext;
  readonly #message: Message;
  /** Offsets that are nobody's yet, with their topic where it is known. */
  readonly #returned = new Map<number, string | null>();
  /** Offsets that ephemeral members have open with QoS 1. */
  readonly #lent = new Map<number, Loan>();
  /** The next message is for members without room only, and enough are held back already. */
  #blocked = false;
  #offering = false;
  #offerAgain = false;
  #stopped = false;

  constructor(context: BrokerContext, group: SharedGroup, position: number | 'live') {
    this.#context = context;
    this.group = group;
    this.key = groupKeyOf(group);
    this.consumer = new LogConsumer(context, this, position);
    this.#message = new Message(context.router.topicOf('-'));
  }

  get hasRoom(): boolean {
    return !this.#blocked && this.group.members.some(memberHasRoom);
  }

  get #log(): DurableLog {
    return embeddedLog(this.#context);
  }

  #markDirty(): void {
    embeddedGroups(this.#context).markDirty(this.key);
  }

  /** Everything that the group still has to give, beside what is from its place on. */
  get pendingOffsets(): readonly number[] {
    return [...this.#returned.keys(), ...this.#lent.keys()];
  }

  /** The oldest record that the group needs. */
  placeInLog(next: number): number {
    let oldest = this.consumer.placeInLog(next);
    for (const offset of this.#returned.keys()) oldest = Math.min(oldest, offset);
    for (const offset of this.#lent.keys()) oldest = Math.min(oldest, offset);
    return oldest;
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
    const bytes = record.bytes ?? this.#log.openBytes;
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

  /**
   * Gives the message at the group's place to a member with room, and moves the place on.
   *
   * @returns false when it has to wait there
   */
  give(message: Message, record: GivenRecord): boolean {
    const log = this.#log;
    const publisherId = (message.publisher as ClientSession | null)?.clientId ?? '';
    const member = this.group.pick(message, publisherId, memberCanTake);
    if (member !== null) this.#hand(member, message, record);
    else if (!this.#pass(message, record.offset)) return false;
    log.operations.group(OPERATION.groupPosition, this.key, record.offset + 1);
    this.#markDirty();
    return true;
  }

  /** An ephemeral member acknowledged what it was given. */
  acknowledged(offset: number): void {
    if (this.#lent.delete(offset)) this.#done(offset);
  }

  /** What an ephemeral member had open is the group's again; the journal knows it as that already. */
  takeBack(offset: number): void {
    if (this.#lent.delete(offset)) this.#returned.set(offset, null);
  }

  /** A message that a durable member had open is the group's again, durable with the open batch. */
  giveBack(offset: number): void {
    this.#log.operations.group(OPERATION.groupReturn, this.key, offset);
    this.restoreReturned(offset);
  }

  /** As recovery found it. */
  restoreReturned(offset: number): void {
    this.#returned.set(offset, null);
    this.#markDirty();
  }

  /** A member has room, came, or may have more than before. */
  goOn(): void {
    this.#blocked = false;
    this.consumer.roomAvailable();
    this.#offer();
  }

  /** The journal forgets what is below `after`. @returns how many messages were nobody's yet */
  giveUpBefore(after: number): number {
    let lost = 0;
    for (const offset of this.#returned.keys()) {
      if (offset >= after) continue;
      this.#returned.delete(offset);
      this.#done(offset);
      lost += 1;
    }
    // What is lent is at its receiver; only a repetition for another is lost.
    for (const offset of this.#lent.keys()) {
      if (offset < after) this.acknowledged(offset);
    }
    return lost;
  }

  /** The journal ends at `next` after all. */
  rewindTo(next: number): void {
    this.consumer.rewindTo(next);
    for (const offset of this.#returned.keys()) {
      if (offset >= next) this.#returned.delete(offset);
    }
    for (const [offset, { session, identifier }] of this.#lent) {
      if (offset < next) continue;
      // The offset will be another message's: this exchange must not stand for it.
      this.#lent.delete(offset);
      session.forgetGiver(identifier);
    }
  }

  /**
   * The last durable member is gone: nothing waits in the journal any more. What was returned goes to
   * those who are left, as far as they are online.
   */
  dissolve(): void {
    this.consumer.stop();
    this.#stopped = true;
    if (this.#returned.size === 0 || this.group.members.length === 0) return;
    this.#giveRest([...this.#returned.keys()].sort(ascending)).catch((error: unknown) =>
      this.#failed(error),
    );
  }

  forget(): void {
    // The group has one filter, and it never changes.
  }

  placeChanged(): void {
    this.#markDirty();
  }

  #hand(member: Delivery, message: Message, record: GivenRecord): void {
    const context = this.#context;
    const session = member.subscriber as ClientSession;
    const qos = Math.min(message.qos, member.qos);
    if (qos > 0 && session.durable) {
      const { topic } = message;
      this.#log.plan(session, member, { ...placeOf(record), topic, qos, givenBy: this.key });
      return;
    }
    context.encoder.load(message, context.nowMs());
    if (qos !== 1) {
      session.deliver(message, member);
      return;
    }
    const given = { offset: record.offset, by: this.key };
    const identifier = session.deliverGiven(message, member, given);
    if (identifier === 0) return;
    this.#lent.set(record.offset, { session, identifier });
    this.#log.operations.group(OPERATION.groupReturn, this.key, record.offset);
  }

  /** No member can take it now. @returns whether the group goes past it */
  #pass(message: Message, offset: number): boolean {
    const { members } = this.group;
    if (!members.some(memberHasRoom)) return false;
    if (!members.some((member) => mayHave(member, message.topic))) {
      this.#context.counters.droppedNotAuthorized += 1;
      return true;
    }
    if (this.#returned.size >= RETURNED_MAX) {
      this.#blocked = true;
      return false;
    }
    // The others need not wait for the one member that may have it.
    this.#returned.set(offset, message.topic.name);
    this.#log.operations.group(OPERATION.groupReturn, this.key, offset);
    return true;
  }

  #done(offset: number): void {
    this.#log.operations.group(OPERATION.groupDone, this.key, offset);
    this.#markDirty();
  }

  /** Gives what was returned to members that have room, oldest first. One round at a time. */
  #offer(): void {
    if (this.#returned.size === 0 || this.#stopped) return;
    this.#offerAgain = true;
    if (this.#offering) return;
    this.#offering = true;
    this.#offerRounds().catch((error: unknown) => this.#failed(error));
  }

  async #offerRounds(): Promise<void> {
    try {
      while (this.#offerAgain && !this.#stopped) {
        this.#offerAgain = false;
        await this.#offerEach([...this.#returned.keys()].sort(ascending));
      }
    } finally {
      // In the same step as the last look: what comes now starts a new round.
      this.#offering = false;
    }
  }

  async #offerEach(offsets: readonly number[]): Promise<void> {
    for (const offset of offsets) {
      if (this.#stopped || !this.group.members.some(memberHasRoom)) return;
      const topic = this.#returned.get(offset);
      if (topic === undefined || (topic !== null && !this.#isWanted(topic))) continue;
      await this.#offerOne(offset);
    }
  }

  /** Whether a member with room may have it, or nobody may: then it is dropped. */
  #isWanted(name: string): boolean {
    const topic = this.#context.router.topicOf(name);
    const able = this.group.members.filter((member) => mayHave(member, topic));
    return able.length === 0 || able.some(memberHasRoom);
  }

  async #offerOne(offset: number): Promise<void> {
    const context = this.#context;
    if (context.log.batchIsLarge) await context.log.nextCommit();
    const read = await this.#read(offset);
    if (this.#stopped || !this.#returned.has(offset)) return;
    if (read === null) {
      this.#returned.delete(offset);
      this.#done(offset);
      return;
    }
    const { message, record } = read;
    const member = this.group.pick(message, '', memberCanTake);
    if (member !== null) {
      this.#returned.delete(offset);
      this.#done(offset);
      this.#hand(member, message, record);
    } else if (this.group.members.some((each) => mayHave(each, message.topic))) {
      this.#returned.set(offset, message.topic.name);
    } else {
      context.counters.droppedNotAuthorized += 1;
      this.#returned.delete(offset);
      this.#done(offset);
    }
  }

  /** @returns null when it is gone from the journal, damaged or expired */
  async #read(
    offset: number,
  ): Promise<{ readonly message: Message; readonly record: GivenRecord } | null> {
    const context = this.#context;
    const found = await this.#log.readAt(offset);
    if (found === null || found.kind === RECORD_KIND.operations) return null;
    const { body, kind } = found;
    if (isExpired(body, 0, context.nowMs())) {
      context.counters.droppedExpired += 1;
      return null;
    }
    const name = kind === RECORD_KIND.direct ? directNameOf(body, 0) : found.topic;
    const topic = context.router.topicOf(name);
    const message = new Message(topic);
    const record = { offset, kind, bytes: body, start: 0, end: body.length };
    readMessageRecord(body, record, { message, topic, kind });
    return { message, record };
  }

  async #giveRest(offsets: readonly number[]): Promise<void> {
    const context = this.#context;
    for (const offset of offsets) {
      const read = await this.#read(offset);
      if (read !== null) context.groups.offerToAnother(this.group, read.message);
    }
  }

  #failed(error: unknown): void {
    if (!isClosed(error)) this.#context.fatal('reading the journal failed', error);
  }
}

function placeOf({ kind, offset, bytes, start, end }: GivenRecord): GivenRecord {
  return { kind, offset, bytes, start, end };
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Stable name of a group in the journal. */
export function groupKeyOf(group: SharedGroup): string {
  return `${group.shareName}/${group.filter}`;
}

/** What a checkpoint keeps: f64 place | u32 count x f64 offset of what is pending below it. */
export function encodeGroup(state: {
  readonly place: number;
  readonly pending: readonly number[];
}): Uint8Array {
  const writer = new FieldWriter().f64(state.place).u32(state.pending.length);
  for (const offset of state.pending) writer.f64(offset);
  return writer.finish();
}
