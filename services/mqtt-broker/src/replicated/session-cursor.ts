import type { Delivery, Subscription, Topic } from '@robustmq/broker';
import {
  JournalError,
  type JournalReader,
  type JournalRecord,
  type Offset,
  type RecordSelector,
} from '@robustmq/journal';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { ExchangeState } from '@robustmq/mqtt-session';
import { filterMatchesTopic, hasWildcard } from '@robustmq/topic';
import { waitMs } from '../broker-environment.ts';
import type { SessionReader } from '../durable/broker-log.ts';
import { isClosed, mergedDelivery } from '../durable/log-consumer.ts';
import { dealOf, directTopicOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import { isExpired } from '../durable/session-consumer.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { CursorHost } from './cursor-host.ts';
import { offsetAt, shardAt } from './place.ts';
import { RecordInHand } from './record-in-hand.ts';
import type { RepeatedPublishes } from './repeated-publishes.ts';
import { encodeSessionState, type SessionState } from './session-state.ts';
import { SubscriptionStarts } from './subscription-starts.ts';
import type { KeyedSource } from './table-writer.ts';

const READ_RECORDS_MAX = 128;
const READ_BYTES_MAX = 128 * 1024;
const RETRY_MS = 100;
/** A replica that answers a reader may be a little behind the one that feeds the tail. */
const BEHIND_TAIL_MS = 10;

/** Records that were read for want of room for the ones before. */
interface ReadAhead {
  readonly reader: JournalReader;
  records: readonly JournalRecord[];
  next: number;
}

/**
 * The places of one durable session in the message shards, and what its record in the keyed shard says.
 *
 *     live ── no room, or offline ──► behind ── read up to the broker's tail ──► live
 *
 * Each shard is live or behind for itself. While live, the broker's {@link ShardFeed} hands over each
 * record; while behind, the session reads from its position on when it has room. It joins the feed in the
 * turn in which it has read at least as far as the feed has come, and takes from it what is behind that: no
 * record is missed and none is taken twice.
 *
 * Invariant: every record below `positionOf(shard)` is dealt with, or an open exchange.
 */
export class SessionCursor implements SessionReader, KeyedSource {
  readonly session: ClientSession;
  /** Epoch by which this broker came to own the session. */
  readonly tenure: number;
  readonly #host: CursorHost;
  readonly #record: RecordInHand;
  readonly #starts: SubscriptionStarts;
  readonly #clientId: Uint8Array;
  /** By shard; while live: where it joined the feed. */
  readonly #positions: number[];
  readonly #live: boolean[];
  #behind: number;
  /** By shard, made when first needed. */
  #ahead: (ReadAhead | null)[] | null = null;
  /** Receipts whose message is under way. */
  #pendingReceipts: Set<number> | null = null;
  #reading = false;
  #generation = 0;
  #standing: 'ours' | 'settled' | 'lost' | 'ended' = 'ours';
  #final = false;
  #settling = 0;
  #writtenSum = 0;
  #lastTopic: Topic | null = null;
  #lastDelivery: Delivery | null = null;

  /** @param state  as the owner before left it; null: it is new, and live */
  constructor(host: CursorHost, session: ClientSession, state: SessionState | null) {
    this.#host = host;
    this.session = session;
    this.tenure = session.ownerEpoch;
    this.#record = host.record;
    this.#clientId = new TextEncoder().encode(session.clientId);
    const shards = Array.from({ length: host.shards.count }, (_, shard) => shard);
    this.#positions = shards.map((shard) =>
      state === null ? host.feedPosition(shard) : (state.positions[shard] ?? 0),
    );
    this.#live = shards.map(() => state === null);
    this.#behind = state === null ? 0 : shards.length;
    this.#starts = new SubscriptionStarts(shards.length);
  }

  get live(): boolean {
    return this.#behind === 0;
  }

  get fence(): number {
    return this.session.ownerEpoch;
  }

  /** False when nothing of it is to be written, nor said to the client, any more. */
  get isOurs(): boolean {
    return this.#standing === 'ours';
  }

  positionOf(shard: number): number {
    const position = this.#positions[shard] as number;
    return this.#live[shard] === true
      ? Math.max(position, this.#host.feedPosition(shard))
      : position;
  }

  get starts(): SubscriptionStarts {
    return this.#starts;
  }

  /** A subscription begins now: see `Subscription.since`. */
  beginSubscription(): number {
    return this.#starts.begin(
      (shard) => this.#host.knownEnd(shard),
      (shard) => this.positionOf(shard),
    );
  }

  /** The feed has a record. @param delivery  null: it is for this session alone */
  offer(record: RecordInHand, delivery: Delivery | null): void {
    const { shard, offset } = record;
    if (this.#live[shard] !== true || offset < (this.#positions[shard] as number)) return;
    const own =
      delivery === null || this.#starts.mayHold(shard, offset)
        ? this.deliveryOf(record.topic, record.place, record.kind)
        : delivery;
    if (own === null) {
      if (delivery === null) this.#giveBack(record);
      return;
    }
    if (own === delivery && !this.session.mayReceive(record.topic, own)) return;
    if (!this.session.hasRoom || !this.#take(record, own)) this.#fallBehind(shard, offset);
  }

  filtersChanged(): void {
    this.#lastTopic = null;
    this.#generation += 1;
    this.#ahead = null;
  }

  roomAvailable(): void {
    if (this.live || this.#reading || !this.isOurs) return;
    this.#reading = true;
    this.#catchUp().catch((error: unknown) => {
      if (!isClosed(error)) this.#host.failed('reading a message shard failed', error);
    });
  }

  /** The connection is gone: from here on it is behind everywhere. */
  detach(): void {
    for (let shard = 0; shard < this.#live.length; shard += 1) {
      if (this.#live[shard] === true) this.#fallBehind(shard, this.positionOf(shard));
    }
    this.#generation += 1;
    this.#ahead = null;
  }

  stop(): void {
    if (this.#standing === 'ours') this.#standing = 'ended';
    this.#generation += 1;
    this.#ahead = null;
  }

  deliveryOf(topic: Topic, place: number, kind: number): Delivery | null {
    const direct = kind === RECORD_KIND.direct;
    const known = this.#lastDelivery;
    if (known !== null && topic === this.#lastTopic && !direct && this.#starts.isEmpty) {
      return this.session.mayReceive(topic, known) ? known : null;
    }
    const own = mergedDelivery(this.#matching(topic.name, direct ? -1 : place));
    // A message for this session alone may also be one that its group gave to it.
    const delivery = own ?? (direct ? this.#host.groups.deliveryFor(this.session, topic) : null);
    if (!direct) {
      this.#lastTopic = topic;
      this.#lastDelivery = delivery;
    }
    if (delivery === null || delivery.qos === 0) return null;
    return this.session.mayReceive(topic, delivery) ? delivery : null;
  }

  /** The message behind a receipt is under way. */
  receiptPending(identifier: number): void {
    this.#pendingReceipts ??= new Set();
    this.#pendingReceipts.add(identifier);
  }

  /** It is committed, or was refused. */
  receiptDecided(identifier: number): void {
    this.#pendingReceipts?.delete(identifier);
    if (this.#pendingReceipts?.size === 0) this.#pendingReceipts = null;
  }

  /** The session leaves this broker. @returns for `finish` and `settled` */
  beginSettling(): number {
    this.detach();
    this.#settling += 1;
    return this.#settling;
  }

  /** The next record is the last one of this owner, unless the client came back meanwhile. */
  finish(settling: number): void {
    if (settling === this.#settling) this.#final = true;
  }

  /** That one is written. */
  settled(settling: number): void {
    if (settling === this.#settling && this.#standing === 'ours') this.#standing = 'settled';
  }

  /** The client came back before the session had left. */
  stays(): void {
    this.#settling += 1;
    this.#final = false;
    if (this.#standing === 'settled') this.#standing = 'ours';
  }

  value(): Uint8Array | undefined {
    if (!this.isOurs) return undefined;
    const state = this.#state();
    this.#writtenSum = sumOf(state.positions);
    return encodeSessionState(state);
  }

  /** How many records, over all shards, it is further than its record says. */
  get movedSinceWritten(): number {
    return sumOf(this.#positions.map((_, shard) => this.positionOf(shard))) - this.#writtenSum;
  }

  /** Another broker owns the session: nothing more is said to the client (MQTT-5.0 [MQTT-3.1.4-3]). */
  refused(): void {
    if (!this.isOurs) return;
    this.#standing = 'lost';
    this.#generation += 1;
    this.#ahead = null;
    this.session.connection?.close(
      ReasonCode.sessionTakenOver,
      'another broker took the session over',
    );
  }

  #state(): SessionState {
    const { session, tenure } = this;
    const repeats = this.#repeats();
    const shards = this.#positions.map((_, shard) => shard);
    const positions = shards.map((shard) => this.positionOf(shard));
    const pending = (id: number): boolean =>
      this.#pendingReceipts?.has(id) === true || repeats?.isPending(id) === true;
    return {
      final: this.#final,
      tenure,
      positions,
      watermarks: shards.map((shard) => this.#host.watermark(shard)),
      exchanges: (session.hasWindow ? session.window.open() : []).map(({ id, state, offset }) => ({
        id,
        state: committedState(state),
        place: offset,
      })),
      receipts: (session.receiptCount > 0 ? session.receipts.identifiers() : []).map((id) => ({
        id,
        pending: pending(id),
      })),
      starts: this.#starts.stored(positions, session.subscriptions),
      earlier: repeats?.earlier ?? [],
    };
  }

  #repeats(): RepeatedPublishes | null {
    const repeats = this.session.repeats as RepeatedPublishes | null;
    if (repeats?.isOver !== true) return repeats;
    repeats.end();
    return null;
  }

  #fallBehind(shard: number, offset: number): void {
    if (this.#live[shard] === true) {
      this.#live[shard] = false;
      this.#behind += 1;
    }
    this.#positions[shard] = offset;
    if (this.#ahead !== null) this.#ahead[shard] = null;
  }

  /** @returns false when it could not be taken: it is offered again later */
  #take(record: RecordInHand, delivery: Delivery): boolean {
    const { session } = this;
    const isMixed = delivery.noLocal || delivery.own !== null;
    const isOwn = isMixed && record.isFrom(this.#clientId);
    const terms = (isOwn ? delivery.own : null) ?? delivery;
    // MQTT-5.0 [MQTT-3.8.3-3].
    if (isOwn && terms.noLocal) return true;
    if (isExpired(record.body, 0, this.#host.nowMs())) {
      this.#host.expired();
      return true;
    }
    const qos = Math.min((record.body[0] as number) & 0x03, terms.qos);
    if (qos === 0) return true;
    if (session.window.isFull) return false;
    if (qos === 2) this.#host.planExactlyOnce(session, terms, record);
    else this.#sendNow(record, terms);
    return true;
  }

  /** What a group dealt to it before it left the group, or lost the right to it, is the group's again. */
  #giveBack(record: RecordInHand): void {
    const deal = record.kind === RECORD_KIND.direct ? dealOf(record.body) : null;
    if (deal === null) return;
    const { session } = this;
    const delivery = this.#host.groups.deliveryFor(session, record.topic);
    if (delivery === null) this.#host.giveBack(record, deal, null);
    else if (!session.allows(record.topic, delivery)) {
      this.#host.giveBack(record, deal, session.clientId);
    }
  }

  /** Repeated after a crash, which QoS 1 allows: that it was sent is written within a moment. */
  #sendNow(record: RecordInHand, delivery: Delivery): void {
    const { session } = this;
    const { window } = session;
    const identifier = window.take(ExchangeState.awaitingPuback);
    window.setOffset(identifier, record.place);
    this.#host.progressed(session);
    const message = record.load();
    if (session.send(message, delivery, { qos: 1, identifier, dup: false })) return;
    record.unload();
    session.completeExchange(identifier);
  }

  async #catchUp(): Promise<void> {
    try {
      for (let shard = 0; this.#mayRead; shard = (shard + 1) % this.#live.length) {
        if (this.#live[shard] !== true) await this.#readSome(shard);
      }
    } finally {
      // In the same step as the last look: room that comes now starts a new catch-up.
      this.#reading = false;
    }
  }

  get #mayRead(): boolean {
    return this.isOurs && !this.live && this.session.hasRoom;
  }

  async #readSome(shard: number): Promise<void> {
    // Nothing is behind: the feed brings all there is, and what it repeats is not taken again.
    if ((this.#positions[shard] as number) >= this.#host.feedPosition(shard)) {
      this.#join(shard);
      return;
    }
    this.#ahead ??= this.#live.map(() => null);
    const ahead = this.#ahead[shard] ?? this.#openReader(shard);
    if (ahead.next >= ahead.records.length) {
      const generation = this.#generation;
      const records = await this.#read(shard, ahead.reader);
      if (generation !== this.#generation || records === null) return;
      ahead.records = records;
      ahead.next = 0;
      if (records.length === 0) await this.#atEnd(shard, ahead.reader);
    }
    this.#takeAhead(shard, ahead);
  }

  #openReader(shard: number): ReadAhead {
    const from = this.#positions[shard] as Offset;
    const reader = this.#host.shards.at(shard).openReader(from, this.#selector(shard));
    const ahead = { reader, records: [], next: 0 };
    if (this.#ahead !== null) this.#ahead[shard] = ahead;
    return ahead;
  }

  #takeAhead(shard: number, ahead: ReadAhead): void {
    const generation = this.#generation;
    const record = this.#record;
    while (ahead.next < ahead.records.length) {
      const journalRecord = ahead.records[ahead.next] as JournalRecord;
      record.hold(shard, journalRecord);
      const { topic, place, kind } = record;
      const isMessage = kind === RECORD_KIND.message || kind === RECORD_KIND.direct;
      const delivery = isMessage ? this.deliveryOf(topic, place, kind) : null;
      if (delivery !== null && (!this.session.hasRoom || !this.#take(record, delivery))) return;
      if (delivery === null) this.#giveBack(record);
      ahead.next += 1;
      this.#positions[shard] = journalRecord.offset + 1;
      // What was sent may have ended the connection.
      if (generation !== this.#generation) return;
    }
  }

  /** Nothing wanted is left in the shard: joins the feed, unless that is further on already. */
  async #atEnd(shard: number, reader: JournalReader): Promise<void> {
    const before = this.#positions[shard] as number;
    const position = Math.max(before, reader.position);
    this.#positions[shard] = position;
    if (position < this.#host.feedPosition(shard)) {
      if (position === before) await waitMs(this.#host.shards.timers, BEHIND_TAIL_MS);
      return;
    }
    this.#join(shard);
  }

  #join(shard: number): void {
    this.#live[shard] = true;
    this.#behind -= 1;
    if (this.#ahead !== null) this.#ahead[shard] = null;
    this.#host.progressed(this.session);
    if (this.live) this.#host.groups.roomAvailable(this.session);
  }

  /** @returns null when the reader must be opened anew */
  async #read(shard: number, reader: JournalReader): Promise<readonly JournalRecord[] | null> {
    const generation = this.#generation;
    try {
      return await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code === 'JOURNAL_CLOSED') throw error;
      if (generation !== this.#generation) return null;
      const { fault } = error;
      if (fault.code === 'JOURNAL_OFFSET_TRIMMED') {
        this.#host.trimmed(this.session);
        this.#positions[shard] = Math.max(this.#positions[shard] as number, fault.oldest);
      } else if (fault.code === 'JOURNAL_RECORD_CORRUPT') {
        this.#host.corrupt(fault);
        this.#positions[shard] = Math.max((this.#positions[shard] as number) + 1, fault.after);
      } else await waitMs(this.#host.shards.timers, RETRY_MS);
      if (this.#ahead !== null) this.#ahead[shard] = null;
      return null;
    }
  }

  #selector(shard: number): RecordSelector {
    const { shards } = this.#host;
    const exact: string[] = [directTopicOf(this.session.clientId)];
    const wildcards: string[] = [];
    for (const { group, qos, filter } of this.session.subscriptions.values()) {
      if (group !== null || qos === 0) continue;
      if (hasWildcard(filter)) wildcards.push(filter);
      else if (shards.shardOfName(filter) === shard) exact.push(filter);
    }
    const matches = (topic: string): boolean =>
      topic.charCodeAt(0) !== 0 && wildcards.some((filter) => filterMatchesTopic(filter, topic));
    if (wildcards.length === 0) return { kind: 'topics', exact, matches: null };
    return { kind: 'topics', exact, matches, filters: wildcards };
  }

  /** @param place  -1: wherever it is */
  *#matching(name: string, place: number): Generator<Subscription> {
    for (const subscription of this.session.subscriptions.values()) {
      if (subscription.group !== null) continue;
      const { since } = subscription;
      if (place >= 0 && this.#starts.isBefore(since, shardAt(place), offsetAt(place))) continue;
      if (filterMatchesTopic(subscription.filter, name)) yield subscription;
    }
  }
}

/** What the write that holds it makes of a state. */
function committedState(state: number): number {
  if (state === ExchangeState.received) return ExchangeState.awaitingPubcomp;
  return state === ExchangeState.assigned ? ExchangeState.awaitingPubrec : state;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
