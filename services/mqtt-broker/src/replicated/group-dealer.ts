import { type Message, SharedGroup, type Subscriber, Subscription } from '@robustmq/broker';
import {
  JournalError,
  type JournalRecord,
  type Offset,
  type RecordSelector,
} from '@robustmq/journal';
import { filterMatchesTopic, hasWildcard } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type {
  Denial,
  GiftOutcome,
  GroupDealing,
  GroupMember,
  GroupTerm,
  MemberRoom,
  MemberTerm,
} from '../cluster/contract.ts';
import { isClosed } from '../durable/log-consumer.ts';
import {
  dealOf,
  directTopicOf,
  GIVEN_TOPIC,
  originOf,
  returnTopicOf,
} from '../durable/message-record.ts';
import { isExpired } from '../durable/session-consumer.ts';
import { type DealtMember, DealtMembers } from './dealt-member.ts';
import { GroupShard } from './group-shard.ts';
import { placeOf } from './place.ts';
import type { ReplicatedLog } from './replicated-log.ts';
import { copyOf, RecordInHand } from './record-in-hand.ts';
import { encodeSessionState } from './session-state.ts';
import type { KeyedSource } from './table-writer.ts';

const READ_RECORDS_MAX = 128;
const READ_BYTES_MAX = 128 * 1024;
/** LIMIT: groupDealsMax. Above it, in one shard, the group waits until some are committed. */
const DEALS_MAX = 256;
const RETRY_MS = 100;
/** A replica that answers a reader may be a little behind the one that feeds the tail. */
const BEHIND_TAIL_MS = 10;
/** LIMIT: groupParkedMax. What only members without room may have, in one shard. */
const PARKED_MAX = 256;
/** Room that is told of within this time counts together for what is parked. */
const UNPARK_MS = 20;
const UTF8 = new TextDecoder();

/**
 * Deals out the messages of one shared group that has a durable member, for all brokers: each goes to one
 * member, which need not be here. A durable one gets it as a direct record of its session: when that is
 * committed the message is the member's, and its broker finds it in its tail like everything else. To a
 * member whose session ends with its connection it is handed over the node link, and stays the group's until
 * the member has acknowledged it.
 *
 *     message in the shard ──▶ member with room chosen ─┬─▶ direct record, which names the message
 *                                      ▲                └─▶ handed over ──▶ acknowledged
 *                                      └────────────────────────┘ member gone, or without the right to it
 *
 * What was dealt is told by the shards themselves. So a new dealer, once the one before is fenced as a
 * producer, reads which messages behind the group's place have such a record, and nothing is dealt twice;
 * the place in the keyed shard only says where to begin, and what must not be trimmed.
 */
export class GroupDealer implements GroupDealing, KeyedSource, Subscriber {
  readonly durable = true;
  readonly clientId = '';
  readonly online = false;
  readonly inflight = 0;
  /** It reads by itself: see `wake`. */
  readonly consumer = null;
  readonly term: GroupTerm;
  readonly #context: BrokerContext;
  readonly #log: ReplicatedLog;
  readonly #record: RecordInHand;
  readonly #members: DealtMembers;
  readonly #interest: Subscription;
  readonly #forget: (dealer: GroupDealer) => void;
  #shards: readonly GroupShard[] = [];
  /** By shard: what came before `begin`. */
  readonly #woken: number[] = [];
  #running = false;
  #again = false;
  #unparking = false;
  #state: 'dealing' | 'stopped' | 'ended' = 'dealing';

  constructor(
    context: BrokerContext,
    log: ReplicatedLog,
    term: GroupTerm,
    forget: (dealer: GroupDealer) => void,
  ) {
    this.term = term;
    this.#context = context;
    this.#log = log;
    this.#record = new RecordInHand(context);
    this.#forget = forget;
    const { strategy } = context.settings.sharedSubscriptions;
    const group = new SharedGroup(term.shareName, term.filter, { strategy, seed: term.epoch });
    this.#members = new DealtMembers(group, context.clock);
    const options = { noLocal: false, retainAsPublished: true, identifier: 0, since: 0 } as const;
    this.#interest = new Subscription(term.filter, this, { ...options, qos: 2, retainHandling: 2 });
    // Before its shards are asked where they end: nothing that comes then is missed.
    context.router.subscribe(this.#interest, null);
  }

  get fence(): number {
    return this.term.epoch;
  }

  selector(): RecordSelector {
    const { filter, key } = this.term;
    const returned = returnTopicOf(key);
    if (!hasWildcard(filter)) return { kind: 'topics', exact: [filter, returned], matches: null };
    const matches = (topic: string): boolean =>
      topic.charCodeAt(0) !== 0 && filterMatchesTopic(filter, topic);
    return { kind: 'topics', exact: [returned], matches };
  }

  begin(shards: readonly GroupShard[]): void {
    for (const shard of shards) shard.end = Math.max(shard.end, this.#woken[shard.number] ?? 0);
    this.#shards = shards;
  }

  setMembers(members: readonly GroupMember[]): void {
    this.#members.set(members);
    this.goOn();
  }

  want(node: number, want: MemberRoom): boolean {
    const isMember = this.#members.want(node, want);
    this.#unpark();
    this.goOn();
    return isMember;
  }

  keepNodes(alive: ReadonlySet<number>): void {
    this.#members.keepNodes(alive);
  }

  deny(denial: Denial): void {
    this.#members.deny(denial);
  }

  async endMember({ clientId, epoch }: MemberTerm, deadlineMs: number): Promise<void> {
    this.#members.end(clientId, epoch);
    const { clock } = this.#context;
    const endMs = clock.monotonicMs() + deadlineMs;
    while (this.#members.dealsUnderWay(clientId) > 0) {
      if (this.#state !== 'dealing' || clock.monotonicMs() > endMs) {
        const detail = `what group ${this.term.key} dealt to ${clientId} is not committed yet`;
        throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'mqtt', detail });
      }
      await waitMs(this.#context.timers, BEHIND_TAIL_MS);
    }
  }

  /** A record that the group wants is committed. */
  wake(shard: number, offset: number): void {
    const known = this.#shards[shard];
    if (known === undefined) {
      this.#woken[shard] = offset + 1;
      return;
    }
    known.end = Math.max(known.end, offset + 1);
    this.goOn();
  }

  deliver(): void {
    // What is QoS 0 is for who is online.
  }

  value(): Uint8Array | null | undefined {
    if (this.#state === 'ended') return null;
    if (this.#state === 'stopped') return undefined;
    const positions = this.#shards.map((shard) =>
      shard.placeAt(this.#log.feedPosition(shard.number)),
    );
    return encodeSessionState({
      ...{ final: true, tenure: this.term.epoch, positions, watermarks: positions },
      ...{ exchanges: [], receipts: [], starts: [], earlier: [] },
    });
  }

  refused(): void {
    this.stop();
  }

  stop(): void {
    if (this.#state !== 'dealing') return;
    this.#state = 'stopped';
    this.#context.router.unsubscribe(this.#interest);
    this.#forget(this);
  }

  end(): void {
    if (this.#state !== 'dealing') return;
    this.stop();
    this.#state = 'ended';
    this.#log.groupRecords.put(this);
  }

  goOn(): void {
    this.#again = true;
    if (this.#running || this.#state !== 'dealing' || !this.#members.haveRoom) return;
    this.#running = true;
    this.#dealAll().catch((error: unknown) => {
      if (!isClosed(error)) this.#context.fatal('dealing a shared group failed', error);
    });
  }

  get #mayDeal(): boolean {
    return this.#state === 'dealing' && this.#members.haveRoom;
  }

  async #dealAll(): Promise<void> {
    try {
      while (this.#again && this.#mayDeal) {
        this.#again = false;
        for (const shard of this.#shards) await this.#dealFrom(shard);
      }
    } finally {
      // In the same step as the last look: what comes now starts anew.
      this.#running = false;
    }
  }

  async #dealFrom(shard: GroupShard): Promise<void> {
    while (this.#mayDeal && !shard.isAtEnd && shard.underWay.size < DEALS_MAX) {
      if (shard.head === null) await this.#read(shard);
      else if (!(await this.#dealHead(shard, shard.head))) return;
    }
  }

  async #read(shard: GroupShard): Promise<void> {
    try {
      if (!(await shard.read(READ_RECORDS_MAX, READ_BYTES_MAX)))
        await waitMs(this.#context.timers, BEHIND_TAIL_MS);
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code === 'JOURNAL_CLOSED') throw error;
      const { fault } = error;
      if (fault.code === 'JOURNAL_OFFSET_TRIMMED') {
        this.#context.counters.droppedTrimmed += 1;
        shard.skipTo(fault.oldest);
      } else if (fault.code === 'JOURNAL_RECORD_CORRUPT') {
        this.#context.reportCorruption(fault);
        shard.skipTo(Math.max(shard.next + 1, fault.after));
      } else {
        await waitMs(this.#context.timers, RETRY_MS);
        shard.rewindTo(shard.next);
      }
    }
  }

  /** @returns false when it has to wait for a member */
  async #dealHead(shard: GroupShard, head: JournalRecord): Promise<boolean> {
    const { offset, body } = head;
    if (shard.knows(offset) || ((body[0] as number) & 0x03) === 0) {
      shard.step();
      return true;
    }
    if (isExpired(body, 0, this.#context.nowMs())) {
      this.#context.counters.droppedExpired += 1;
      shard.step();
      return true;
    }
    const isReturn = head.topic === returnTopicOf(this.term.key);
    if (isReturn && (await this.#isRepeated(shard, head))) {
      if (shard.head === head) shard.step();
      return true;
    }
    this.#record.hold(shard.number, head);
    const message = copyOf(this.#record);
    if (this.#log.full || !this.#log.hasRoomFor(message) || this.#log.isLargeAt(shard.number)) {
      await waitMs(this.#context.timers, BEHIND_TAIL_MS);
      return true;
    }
    if (this.#state !== 'dealing' || shard.head !== head) return true;
    const publisherId = isReturn ? '' : UTF8.decode(originOf(body)?.clientId);
    const member = this.#members.pick(message, publisherId);
    if (member === null) return this.#pass(shard, message);
    shard.step();
    if (member.ephemeralQos === null) this.#give(shard, offset, { message, member });
    else this.#lend(shard, head, { message, member, qos: member.ephemeralQos });
    return true;
  }

  /** Nobody can take it now. @returns false: the group waits */
  #pass(shard: GroupShard, message: Message): boolean {
    if (this.#members.isDeniedToAll(message.topic.name)) {
      this.#context.counters.droppedNotAuthorized += 1;
      shard.step();
      return true;
    }
    if (!this.#members.haveRoom || shard.parkedCount >= PARKED_MAX) return false;
    // Those with room may not have it, and need not wait for the one that may.
    shard.park();
    return true;
  }

  /** Hands it to an ephemeral member; with QoS 2 it is that one's alone, so that is committed before. */
  #lend(
    shard: GroupShard,
    record: JournalRecord,
    to: { readonly message: Message; readonly member: DealtMember; readonly qos: number },
  ): void {
    const { message, member, qos } = to;
    const { key } = this.term;
    const { offset } = record;
    shard.underWay.add(offset);
    member.began();
    const over = (outcome: GiftOutcome): void => this.#lent(shard, offset, { ...to, outcome });
    const gift = {
      ...{ key, clientId: member.clientId, place: placeOf(shard.number, offset) },
      ...{ topic: message.topic.name, recordKind: record.kind, body: record.body },
    };
    const handOver = (): void => {
      const groups = this.#context.cluster?.groups;
      if (groups === undefined || this.#state !== 'dealing') return;
      groups.give(member.node, gift).then(over, () => over('returned'));
    };
    if (Math.min(message.qos, qos) < 2) {
      handOver();
      return;
    }
    const deal = { group: key, source: offset };
    this.#log.deal(message, { index: GIVEN_TOPIC, deal }, (committed) => {
      if (committed) handOver();
      else over('returned');
    });
  }

  #lent(
    shard: GroupShard,
    offset: number,
    gift: {
      readonly message: Message;
      readonly member: DealtMember;
      readonly outcome: GiftOutcome;
    },
  ): void {
    const { message, member, outcome } = gift;
    shard.underWay.delete(offset);
    member.ended();
    if (this.#state !== 'dealing') return;
    if (outcome === 'done') shard.settled.add(offset);
    else {
      const { clientId } = member;
      if (outcome === 'denied') this.#members.deny({ clientId, topic: message.topic.name });
      // Its broker says anew what room it has, if it is still there.
      else member.setRoom(0);
      shard.rewindTo(offset);
    }
    shard.prune();
    this.#log.groupRecords.putSoon(this);
    this.goOn();
  }

  /** Somebody may have room by now for what waits. */
  #unpark(): void {
    if (this.#unparking || !this.#shards.some(({ parkedCount }) => parkedCount > 0)) return;
    this.#unparking = true;
    this.#context.timers.after(UNPARK_MS, () => {
      this.#unparking = false;
      if (this.#state !== 'dealing') return;
      for (const shard of this.#shards) shard.unpark();
      this.goOn();
    });
  }

  #give(
    shard: GroupShard,
    offset: number,
    { message, member }: { readonly message: Message; readonly member: DealtMember },
  ): void {
    message.retain = message.retain && member.retainAsPublished;
    shard.underWay.add(offset);
    member.began();
    const to = {
      index: directTopicOf(member.clientId),
      deal: { group: this.term.key, source: offset },
    };
    this.#log.deal(message, to, (committed) => {
      shard.underWay.delete(offset);
      member.ended();
      if (committed) shard.settled.add(offset);
      else shard.rewindTo(offset);
      shard.prune();
      if (committed) this.#log.groupRecords.putSoon(this);
      this.goOn();
    });
  }

  /** Who ends a session may have to begin anew, and then gives a message back a second time. */
  async #isRepeated(shard: GroupShard, returned: JournalRecord): Promise<boolean> {
    const source = dealOf(returned.body)?.source ?? -1;
    const journal = this.#log.shards.at(shard.number);
    const from = Math.max(source, journal.oldest) as Offset;
    const exact = [returned.topic];
    const reader = journal.openReader(from, { kind: 'topics', exact, matches: null });
    while (reader.position < returned.offset) {
      const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX).catch(() => null);
      if (records === null) {
        await waitMs(this.#context.timers, RETRY_MS);
        return this.#isRepeated(shard, returned);
      }
      for (const record of records) {
        if (record.offset >= returned.offset) return false;
        if (dealOf(record.body)?.source === source) return true;
      }
      if (records.length === 0) await waitMs(this.#context.timers, BEHIND_TAIL_MS);
    }
    return false;
  }
}
