import { type Message, type SharedGroup, type Subscriber, Subscription } from '@robustmq/broker';
import type { Clock } from '@robustmq/environment';
import type { GroupMember, MemberRoom } from '../cluster/contract.ts';

/** What a member said of its room counts so long; its broker says it anew more often. */
const ROOM_VALID_MS = 30_000;
const ROOM_MOST = 65_535;

/** A durable member of a group that this broker deals out, wherever its client is. */
export class DealtMember implements Subscriber {
  readonly durable = true;
  readonly clientId: string;
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

/** The durable members of one group, as its dealer knows them. */
export class DealtMembers {
  readonly #group: SharedGroup;
  readonly #clock: Clock;
  readonly #members = new Map<string, DealtMember>();
  /** By client identifier: sessions up to this epoch are over. As long as it is a member. */
  readonly #ended = new Map<string, number>();
  /** Those that went with something under way. */
  readonly #leaving = new Set<DealtMember>();

  constructor(group: SharedGroup, clock: Clock) {
    this.#group = group;
    this.#clock = clock;
  }

  get haveRoom(): boolean {
    for (const member of this.#members.values()) if (member.online) return true;
    return false;
  }

  set(members: readonly GroupMember[]): void {
    const gone = new Set(this.#members.keys());
    for (const { clientId, retainAsPublished } of members) {
      gone.delete(clientId);
      const known = this.#members.get(clientId);
      const member = known ?? new DealtMember(clientId, this.#clock);
      member.retainAsPublished = retainAsPublished;
      if (known !== undefined) continue;
      this.#members.set(clientId, member);
      const options = { noLocal: false, retainAsPublished, identifier: 0, since: 0 } as const;
      const qos = 2;
      const all = { ...options, qos, retainHandling: 2 } as const;
      this.#group.add(new Subscription(this.#group.filter, member, all));
    }
    for (const clientId of gone) this.#drop(clientId);
  }

  /** @returns false: it is no member, or not any more */
  want(node: number, { clientId, epoch, room }: MemberRoom): boolean {
    const member = this.#members.get(clientId);
    if (member === undefined || epoch <= (this.#ended.get(clientId) ?? 0)) return false;
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
    for (const member of this.#members.values()) if (!alive.has(member.node)) member.setRoom(0);
  }

  pick(message: Message, publisherId: string): DealtMember | null {
    const delivery = this.#group.pick(message, publisherId, hasRoom);
    return (delivery?.subscriber as DealtMember | undefined) ?? null;
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

function hasRoom(): boolean {
  return true;
}
