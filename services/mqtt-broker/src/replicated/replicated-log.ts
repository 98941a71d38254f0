import { type Delivery, type MatchResult, Message, retainedRecordOf } from '@robustmq/broker';
import {
  BATCH_BYTES_MAX,
  type JournalError,
  type JournalFault,
  type JournalRecord,
  type Offset,
} from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { BrokerLog, LogGauges } from '../durable/broker-log.ts';
import {
  type Deal,
  writeDealtRecord,
  writeDirectRecord,
  writeOriginRecord,
} from '../durable/message-record.ts';
import { OPERATION } from '../durable/operations.ts';
import { sendDeliveries } from '../durable/send-deliveries.ts';
import type { ClientSession } from '../session/client-session.ts';
import { acknowledgeAll } from './acknowledge-group.ts';
import type { CursorHost } from './cursor-host.ts';
import { giveBackUnread } from './give-back-dealt.ts';
import { GroupRecords } from './group-records.ts';
import type { MessageShards } from './message-shards.ts';
import { OriginInHand } from './origin-in-hand.ts';
import { RecordInHand } from './record-in-hand.ts';
import { NO_SHARD, REPEATED, ReplicatedGroup } from './replicated-group.ts';
import type { ReplicatedGroups } from './replicated-groups.ts';
import type { ReplicatedStorage } from './replicated-storage.ts';
import type { RepeatedPublishes } from './repeated-publishes.ts';
import { encodeRetainedValue } from './retained-value.ts';
import { SessionCursor } from './session-cursor.ts';
import { SessionRecords } from './session-records.ts';
import type { ShardWriter } from './shard-writer.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;
/** A batch is closed early at this size, so that one append stays short. */
const BATCH_BYTES_SOFT_MAX = 1024 * 1024;
const BATCH_BYTES_RESERVED = 64 * 1024;
/** While so many groups are under way the next one gathers: batches grow with the load. */
const GROUPS_MAX = 4;
/** How long messages are refused after a shard said that it is full. */
const FULL_MS = 1000;
/** A SUBSCRIBE waits so long for the retained messages of the cluster. */
const RETAINED_DEADLINE_MS = 5000;

/**
 * The broker's side of the shards of a cluster: one open group gathers messages, records of sessions and
 * acknowledgements; at the end of a turn its parts are written side by side, and when all of them are
 * committed what waited for them is said. Groups overlap, and are finished in their order.
 *
 * So one shard without a leader holds back the acknowledgements of all messages that came after the
 * first one for it: those of one connection may not overtake each other, and their topics are in every
 * shard.
 *
 * Durable sessions are not served here: `ShardFeed` brings them what is committed, from this broker as
 * from all others.
 */
export class ReplicatedLog implements BrokerLog, CursorHost {
  readonly bringsRetained = true;
  readonly record: RecordInHand;
  readonly #context: BrokerContext;
  readonly #storage: ReplicatedStorage;
  readonly sessions: SessionRecords;
  readonly groupRecords: GroupRecords;
  readonly groups: ReplicatedGroups;
  readonly #message: Message;
  #open = new ReplicatedGroup();
  readonly #underWay: ReplicatedGroup[] = [];
  /** By shard: where our finished groups end. */
  readonly #finishedEnds: number[];
  /** By shard: batches of groups that are not finished. */
  readonly #unfinished: number[];
  #waiters: (() => void)[] = [];
  #scheduled = false;
  #fullUntilMs = 0;
  #bytesUnderWay = 0;
  /** Of the message appended last, which its acknowledgement follows. */
  #lastShard = NO_SHARD;
  #lastIsOfClient = false;
  /** Receipt logged last, until its acknowledgement tells whether a message stands behind it. */
  #lastReceipt: { readonly session: ClientSession; readonly identifier: number } | null = null;
  readonly #origin: OriginInHand;
  #appendedRecords = 0;
  #appends = 0;

  constructor(context: BrokerContext, storage: ReplicatedStorage, groups: ReplicatedGroups) {
    this.#context = context;
    this.groups = groups;
    this.#storage = storage;
    this.record = new RecordInHand(context);
    this.#origin = new OriginInHand(context);
    this.#message = new Message(context.router.topicOf('-'));
    this.sessions = new SessionRecords(storage.sessionTables);
    this.groupRecords = new GroupRecords(this.sessions);
    this.#finishedEnds = storage.writers.map((_, shard) => storage.feeds[shard]?.position ?? 0);
    this.#unfinished = storage.writers.map(() => 0);
  }

  get shards(): MessageShards {
    return this.#storage.shards;
  }

  get full(): boolean {
    if (this.#fullUntilMs > 0 && performance.now() > this.#fullUntilMs) this.#fullUntilMs = 0;
    return this.#fullUntilMs > 0 || this.#storage.sessionTables.some(({ full }) => full);
  }

  get backlogBytes(): number {
    let bytes = this.#bytesUnderWay;
    for (const { builder } of this.#storage.writers) {
      if (builder.recordCount > 0) bytes += builder.byteLength;
    }
    return bytes;
  }

  get isSettled(): boolean {
    return this.#underWay.length === 0 && this.#open.isEmpty && !this.#hasRecords;
  }

  get #hasRecords(): boolean {
    return this.#storage.writers.some(({ builder }) => builder.recordCount > 0);
  }

  get batchIsLarge(): boolean {
    return this.#storage.writers.some(({ builder }) => builder.byteLength > BATCH_BYTES_SOFT_MAX);
  }

  get gauges(): LogGauges {
    const { feeds, writers } = this.#storage;
    const position = feeds.reduce((sum, feed) => sum + feed.position, 0);
    return {
      name: 'mqtt',
      bytes: 0,
      segments: writers.length,
      oldest: writers.reduce((sum, { shard }) => sum + shard.oldest, 0),
      committed: position,
      next: position,
      appendedRecords: this.#appendedRecords,
      flushes: this.#appends,
    };
  }

  hasRoomFor(message: Message): boolean {
    const { builder } = this.#writerOf(message);
    return builder.byteLength + message.byteCost + BATCH_BYTES_RESERVED <= BATCH_BYTES_MAX;
  }

  append(message: Message, publisher: ClientSession | null, wanted: MatchResult | null): void {
    this.#schedule();
    this.#lastShard = NO_SHARD;
    this.#lastIsOfClient = message === this.#context.message && message.qos > 0;
    if (message.retain && !message.topic.reserved) this.#retain(message, publisher);
    if (wanted === null) return;
    const shard = this.shards.shardOf(message.topic.hash);
    const { builder } = this.#writer(shard);
    // Before the record: what belongs to it, such as its acknowledgement, is in the same group.
    if (builder.byteLength > BATCH_BYTES_SOFT_MAX) this.flush();
    this.#schedule();
    writeOriginRecord(builder, message, this.#origin.of(message, publisher));
    this.#lastShard = shard;
  }

  deliverDirect(session: ClientSession, _delivery: Delivery, message: Message): void {
    if (session.consumer === null) return;
    this.#schedule();
    const { builder } = this.#writerOf(message);
    writeDirectRecord(builder, message, session.clientId);
  }

  /**
   * Appends a message of a shared group for one member, or back to the group.
   *
   * @param then  told whether it is committed; not when this life of the broker ends before
   */
  deal(
    message: Message,
    to: { readonly index: string; readonly deal: Deal },
    then: (committed: boolean) => void,
  ): void {
    this.#schedule();
    const shard = this.shards.shardOf(message.topic.hash);
    writeDealtRecord(this.#writer(shard).builder, message, to);
    this.#open.outcomes.push({ shard, then });
  }

  acknowledge(
    connection: ClientConnection,
    header: number,
    identifier: number,
    vouchesForRecord: boolean,
    reasonCode = 0,
  ): void {
    this.#schedule();
    const group = this.#open;
    const shard = vouchesForRecord ? this.#vouchedShard(header) : NO_SHARD;
    const receipt = this.#lastReceipt;
    this.#lastReceipt = null;
    if (shard >= 0 && receipt?.identifier === identifier) {
      cursorOf(receipt.session)?.receiptPending(identifier);
    }
    if (header === PUBACK) connection.waitingPubacks += 1;
    group.ackConnections.push(connection);
    group.ackHeaders.push(header);
    group.ackIdentifiers.push(identifier);
    group.ackReasonCodes.push(reasonCode);
    group.ackShards.push(shard);
    connection.waitingAcknowledgements += 1;
  }

  afterCommit(then: (committed: boolean) => void): void {
    this.#schedule();
    this.#open.callbacks.push(then);
  }

  afterRetained(then: () => void): void {
    this.#storage.retainedFeed
      .caughtUp(RETAINED_DEADLINE_MS)
      .catch((error: unknown) => {
        // Better what is here than nothing: what is missing is told as it comes.
        const err = error instanceof Error ? error : new Error(String(error));
        log(this.#context.logger, logEvents.taskFailed, { task: 'waiting for retained', err });
      })
      .finally(then);
  }

  nextCommit(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    this.#schedule();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async settle(): Promise<void> {
    for (;;) {
      this.flush();
      if (this.isSettled) return;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#underWay.length >= GROUPS_MAX) return;
    const group = this.#open;
    if (group.isEmpty && !this.#hasRecords) return;
    this.#open = new ReplicatedGroup();
    this.#underWay.push(group);
    group.parts = 1;
    for (const [shard, writer] of this.#storage.writers.entries()) {
      if (writer.builder.recordCount > 0) this.#appendTo(group, shard, writer);
    }
    for (const number of group.retainedTables) {
      const table = this.#storage.retainedTables[number];
      if (table === undefined) continue;
      group.parts += 1;
      table.afterWrite(() => this.#partDone(group));
      table.start();
    }
    for (const table of this.sessions.putAll(group.sessions)) {
      group.parts += 1;
      table.afterWrite(() => this.#partDone(group));
      table.start();
    }
    this.#partDone(group);
  }

  /** The session's record is written with the open group. */
  saveWith(session: ClientSession): void {
    this.#schedule();
    this.#open.sessions.add(session);
  }

  readAt(place: number): Promise<JournalRecord | null> {
    return this.shards.readAt(place);
  }

  subscriptionStart(session: ClientSession): number {
    return cursorOf(session)?.beginSubscription() ?? 0;
  }

  exchange(code: number, session: ClientSession, identifier: number): void {
    if (code === OPERATION.release) {
      this.progressed(session);
      return;
    }
    if (code === OPERATION.receipt) this.#lastReceipt = { session, identifier };
    if (code === OPERATION.receipt || code === OPERATION.receiptReleased) {
      (session.repeats as RepeatedPublishes | null)?.settle(identifier);
    }
    this.#schedule();
    this.#open.sessions.add(session);
  }

  sessionMade(session: ClientSession): void {
    session.consumer = new SessionCursor(this, session, null);
    this.#schedule();
    this.#open.sessions.add(session);
  }

  termsChanged(session: ClientSession): void {
    // The placement center has them; the fence rises with the connection.
    if (session.online) cursorOf(session)?.stays();
    this.progressed(session);
  }

  subscriptionChanged(session: ClientSession): void {
    this.progressed(session);
  }

  detached(session: ClientSession): void {
    cursorOf(session)?.detach();
    this.progressed(session);
  }

  sessionEnded(session: ClientSession): void {
    this.#schedule();
    this.#open.sessions.delete(session);
    // What its groups dealt to it is given back first: see `DurableSessions.forget`.
    if (this.groups.wasMember(session)) return;
    this.sessions.remove(session.clientId, session.ownerEpoch);
  }

  willChanged(): void {
    // The placement center has it.
  }

  nowMs(): number {
    return this.#context.nowMs();
  }

  feedPosition(shard: number): number {
    return this.#storage.feeds[shard]?.position ?? 0;
  }

  knownEnd(shard: number): number {
    return Math.max(this.feedPosition(shard), this.#finishedEnds[shard] ?? 0);
  }

  watermark(shard: number): number {
    const writer = this.#storage.writers[shard];
    const isIdle = this.#unfinished[shard] === 0 && writer?.builder.recordCount === 0;
    return isIdle ? this.knownEnd(shard) : (this.#finishedEnds[shard] ?? 0);
  }

  planExactlyOnce(session: ClientSession, delivery: Delivery, record: RecordInHand): void {
    const { window } = session;
    const identifier = window.take(ExchangeState.assigned);
    const { topic, kind, body, place } = record;
    window.setOffset(identifier, place);
    this.#schedule();
    this.#open.sessions.add(session);
    this.#open.deliveries.push({
      session,
      delivery,
      identifier,
      qos: 2,
      topic,
      kind,
      bytes: body,
      start: 0,
      end: body.length,
    });
  }

  progressed(session: ClientSession): void {
    this.sessions.putSoon(session);
  }

  giveBack(record: RecordInHand, deal: Deal): void {
    giveBackUnread(this, record, deal);
  }

  expired(): void {
    this.#context.counters.droppedExpired += 1;
  }

  trimmed({ clientId }: ClientSession): void {
    const { counters, logger } = this.#context;
    // How many of them were for the session nobody knows any more.
    counters.droppedTrimmed += 1;
    log(logger, logEvents.deliveryDropped, { clientId, reason: 'trimmed', messages: 1 });
  }

  corrupt(fault: JournalFault): void {
    this.#context.reportCorruption(fault);
  }

  failed(what: string, error: unknown): void {
    this.#context.fatal(what, error);
  }

  #writer(shard: number): ShardWriter {
    return this.#storage.writers[shard] as ShardWriter;
  }

  #writerOf(message: Message): ShardWriter {
    return this.#writer(this.shards.shardOf(message.topic.hash));
  }

  /** An acknowledgement without a message before it is that of a repeated PUBLISH. */
  #vouchedShard(header: number): number {
    const isOfClient = this.#lastIsOfClient;
    this.#lastIsOfClient = false;
    if (isOfClient) return this.#lastShard;
    return header === PUBREC ? REPEATED : NO_SHARD;
  }

  #retain(message: Message, publisher: ClientSession | null): void {
    const { retainedTables } = this.#storage;
    const number = message.topic.hash % retainedTables.length;
    const value =
      message.payloadLength === 0
        ? null
        : encodeRetainedValue(publisher?.clientId ?? '', retainedRecordOf(message));
    // The newest in the order of the shard counts, whoever wrote it.
    retainedTables[number]?.put(message.topic.name, {
      fence: 0,
      value: () => value,
      refused: () => {},
    });
    this.#open.retainedTables.add(number);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#context.scheduleFlush();
  }

  #appendTo(group: ReplicatedGroup, shard: number, writer: ShardWriter): void {
    const batch = writer.builder.seal(0 as Offset, this.#context.nowMs());
    group.parts += 1;
    group.shards.push(shard);
    this.#unfinished[shard] = (this.#unfinished[shard] ?? 0) + 1;
    const { length } = batch.bytes;
    this.#bytesUnderWay += length;
    this.#appendedRecords += batch.recordCount;
    this.#appends += 1;
    const startedNs = process.hrtime.bigint();
    writer.append(batch, (next, error) => {
      const { histograms } = this.#context;
      histograms.journalFlushNs.observe(Number(process.hrtime.bigint() - startedNs));
      histograms.journalCommitRecords.observe(batch.recordCount);
      this.#bytesUnderWay -= length;
      writer.builder.recycle(batch.bytes);
      if (next === null) this.#refused(group, shard, error);
      else group.ends.push({ shard, next });
      this.#partDone(group);
    });
  }

  #refused(group: ReplicatedGroup, shard: number, error: JournalError | null): void {
    group.refused.add(shard);
    if (error?.fault.code !== 'JOURNAL_FULL') return;
    this.#fullUntilMs = performance.now() + FULL_MS;
    this.#context.journalFull(error);
  }

  #partDone(group: ReplicatedGroup): void {
    group.parts -= 1;
    if (group.parts > 0 || this.#underWay[0] !== group) return;
    while (this.#underWay[0]?.parts === 0) this.#finish(this.#underWay.shift() as ReplicatedGroup);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
    // What gathered meanwhile goes at once; the sockets are written in the same turn.
    this.flush();
    this.#context.flushOutput();
    this.#context.relievePublishers();
  }

  #finish(group: ReplicatedGroup): void {
    for (const { shard, next } of group.ends) this.#finishedEnds[shard] = next;
    for (const shard of group.shards) {
      this.#unfinished[shard] = (this.#unfinished[shard] ?? 0) - 1;
    }
    acknowledgeAll(group, (session) => {
      this.#schedule();
      this.#open.sessions.add(session);
    });
    sendDeliveries(this.#context, group, this.#message, isOver);
    for (const { shard, then } of group.outcomes) then(!group.refused.has(shard));
    for (const callback of group.callbacks) callback(true);
  }
}

/** A session that was taken over meanwhile says nothing more. */
function isOver({ session }: { readonly session: ClientSession }): boolean {
  return cursorOf(session)?.isOurs !== true;
}

export function cursorOf(session: ClientSession): SessionCursor | null {
  return session.consumer instanceof SessionCursor ? session.consumer : null;
}
