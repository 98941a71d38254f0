import { type Message, type SharedGroup, type Subscriber, Subscription } from '@robustmq/broker';
import type { Clock } from '@robustmq/environment';
import type { Denial, GroupMember, MemberRoom } from '../cluster/contract.ts';

/** What a member said of its room counts so long; its broker says it anew more often. */
const ROOM_VALID_MS = 30_000;
const ROOM_MOST = 65_535;

/** LIMIT: groupDenialsMax. Topics that some member of a group may not have; above it all are asked anew. */
const DENIALS_MAX = 1000;
/** So long a member is not offered a topic that it had no right to. */
const DENIED_MS = 30_000;

/** A member of a group that this broker deals out, wherever its client is. */
export class DealtMember implements Subscriber {
  readonly durable = true;
  readonly clientId: string;
  /** Granted to a member whose session ends with its connection; null: it finds what is dealt to it. */
  ephemeralQos: number | null = null;
  retainAsPublished = false;
  /** The broker that told of its room. */
  node = 0;
  readonly #clock: Clock;
  #room = 0;
  #validUntilMs = 0;
  #underWay = 0;

  constructor(clientId: string, clock: Clock) {
    this.clientId = clientId;
    this.#clock = clock;
  }

  get online(): boolean {
    return this.#room > 0 && this.#clock.monotonicMs() < this.#validUntilMs;
  }

  /** Who has the most room has the least under way. */
  get inflight(): number {
    return ROOM_MOST - this.#room;
  }

  /** Deals that are being committed. */
  get underWay(): number {
    return this.#underWay;
  }

  setRoom(room: number): void {
    this.#room = Math.min(room, ROOM_MOST);
    this.#validUntilMs = this.#clock.monotonicMs() + ROOM_VALID_MS;
  }

  began(): void {
    this.#room -= 1;
    this.#underWay += 1;
  }

  ended(): void {
    this.#underWay -= 1;
  }

  deliver(): void {
    // It finds what is dealt to it in the journal.
  }
}

/**
 * The members of one group, as its dealer knows them: the durable ones by the placement center, the others
 * by what their brokers say of their room.
 */
export class DealtMembers {
  readonly #group: SharedGroup;
  readonly #clock: Clock;
  readonly #members = new Map<string, DealtMember>();
  /** By client identifier: sessions up to this epoch are over. As long as it is a member. */
  readonly #ended = new Map<string, number>();
  /** Those that went with something under way. */
  readonly #leaving = new Set<DealtMember>();
  /** By topic: client identifiers that have no right to it, and until when that is believed. */
  readonly #denied = new Map<string, Map<string, number>>();

  constructor(group: SharedGroup, clock: Clock) {
    this.#group = group;
    this.#clock = clock;
  }

  get haveRoom(): boolean {
    for (const member of this.#members.values()) if (member.online) return true;
    return false;
  }

  set(members: readonly GroupMember[]): void {
    const gone = new Set<string>();
    for (const [clientId, { ephemeralQos }] of this.#members) {
      if (ephemeralQos === null) gone.add(clientId);
    }
    for (const { clientId, retainAsPublished } of members) {
      gone.delete(clientId);
      // Its session before ended with its connection.
      if (this.#members.get(clientId)?.ephemeralQos != null) this.#drop(clientId);
      const member = this.#members.get(clientId) ?? this.#add(clientId);
      member.retainAsPublished = retainAsPublished;
    }
    for (const clientId of gone) this.#drop(clientId);
  }

  /** @returns false: it is no member, or not any more */
  want(node: number, { clientId, epoch, room, ephemeralQos }: MemberRoom): boolean {
    const known = this.#members.get(clientId);
    if (ephemeralQos !== null && room > 0 && known === undefined) {
      this.#add(clientId).ephemeralQos = ephemeralQos;
    }
    const member = this.#members.get(clientId);
    // Of one that went, nothing is to be known.
    if (member === undefined && ephemeralQos !== null) return true;
    if (member === undefined || (member.ephemeralQos === null) !== (ephemeralQos === null)) {
      return false;
    }
    if (ephemeralQos === null && epoch <= (this.#ended.get(clientId) ?? 0)) return false;
    // Another broker's client of that name is the newer one.
    if (room === 0 && member.node !== node) return true;
    if (room === 0 && ephemeralQos !== null) {
      this.#drop(clientId);
      return true;
    }
    member.ephemeralQos = ephemeralQos;
    member.node = node;
    member.setRoom(room);
    return true;
  }

  end(clientId: string, epoch: number): void {
    const member = this.#members.get(clientId);
    if (member === undefined) return;
    this.#ended.set(clientId, Math.max(epoch, this.#ended.get(clientId) ?? 0));
    member.setRoom(0);
  }

  dealsUnderWay(clientId: string): number {
    let count = this.#members.get(clientId)?.underWay ?? 0;
    for (const member of this.#leaving) {
      if (member.underWay === 0) this.#leaving.delete(member);
      else if (member.clientId === clientId) count += member.underWay;
    }
    return count;
  }

  keepNodes(alive: ReadonlySet<number>): void {
    for (const member of [...this.#members.values()]) {
      if (alive.has(member.node)) continue;
      if (member.ephemeralQos === null) member.setRoom(0);
      else this.#drop(member.clientId);
    }
  }

  deny({ clientId, topic }: Denial): void {
    if (this.#denied.size >= DENIALS_MAX) this.#denied.clear();
    const denied = this.#denied.get(topic) ?? new Map<string, number>();
    this.#denied.set(topic, denied.set(clientId, this.#clock.monotonicMs() + DENIED_MS));
  }

  /** There are members, and none of them may have the topic. */
  isDeniedToAll(topic: string): boolean {
    const denied = this.#denied.get(topic);
    if (denied === undefined) return false;
    for (const clientId of this.#members.keys())
      if (!this.#isDenied(denied, clientId)) return false;
    return true;
  }

  pick(message: Message, publisherId: string): DealtMember | null {
    const denied = this.#denied.get(message.topic.name);
    const mayTake = ({ subscriber }: { readonly subscriber: Subscriber }): boolean =>
      denied === undefined || !this.#isDenied(denied, subscriber.clientId);
    const delivery = this.#group.pick(message, publisherId, mayTake);
    return (delivery?.subscriber as DealtMember | undefined) ?? null;
  }

  #isDenied(denied: ReadonlyMap<string, number>, clientId: string): boolean {
    return (denied.get(clientId) ?? 0) > this.#clock.monotonicMs();
  }

  #add(clientId: string): DealtMember {
    const member = new DealtMember(clientId, this.#clock);
    this.#members.set(clientId, member);
    const options = { noLocal: false, retainAsPublished: true, identifier: 0, since: 0 } as const;
    const all = { ...options, qos: 2, retainHandling: 2 } as const;
    this.#group.add(new Subscription(this.#group.filter, member, all));
    return member;
  }

  #drop(clientId: string): void {
    const member = this.#members.get(clientId);
    if (member === undefined) return;
    this.#members.delete(clientId);
    this.#ended.delete(clientId);
    if (member.underWay > 0) this.#leaving.add(member);
    this.#group.remove(member);
  }
}
