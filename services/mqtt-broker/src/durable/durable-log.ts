import { type Delivery, type MatchResult, Message, type Topic } from '@robustmq/broker';
import {
  BATCH_BYTES_MAX,
  JournalError,
  type JournalRecord,
  type JournalShard,
  type Offset,
  RecordBatchBuilder,
} from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import type { ClientSession } from '../session/client-session.ts';
import { encodeSession, encodeSubscription, encodeTerms } from '../session/session-record.ts';
import type { WillMessage } from '../session/will-message.ts';
import { encodeWill } from '../session/wills.ts';
import { type BrokerLog, JOURNAL_IS_FULL, type LogGauges, type LogRefusal } from './broker-log.ts';
import { CommitGroup, type MissedRecord, type PlannedDelivery } from './commit-group.ts';
import { consumerOf } from './embedded-log.ts';
import { LogConsumer } from './log-consumer.ts';
import { writeDirectRecord, writeMessageRecord } from './message-record.ts';
import { ASSIGNED_BY_GROUP, OPERATION, type OperationWriter, RECORD_KIND } from './operations.ts';
import { rewindTo } from './rewind.ts';
import { sendDeliveries } from './send-deliveries.ts';
import { serveAtAppend } from './serve-at-append.ts';
import { SessionConsumer } from './session-consumer.ts';

const PUBACK = 0x40;
const NO_TOPIC = new Uint8Array(0);
const NO_WILL = new Uint8Array(0);
/** A batch is closed early at this size, so that one flush stays short. */
const BATCH_BYTES_SOFT_MAX = 4 * 1024 * 1024;
/** Kept free in a batch for state changes and for the headers of the next record. */
const BATCH_BYTES_RESERVED = 8 * 1024 * 1024;

/**
 * The broker's side of the journal: one open group gathers messages, state changes and
 * acknowledgements while the group before it is being flushed (group commit). No timer: a group is
 * closed as soon as the one before it is durable, so latency is one to two flushes and batches grow
 * with the load.
 *
 * Nothing that a group promises is sent before it is durable: acknowledgements to publishers,
 * deliveries to durable sessions, PUBREL. With `acknowledge = "memory"` acknowledgements do not wait.
 */
export class DurableLog implements BrokerLog {
  readonly bringsRetained = false;
  readonly refusal: LogRefusal = JOURNAL_IS_FULL;
  /** Where the message appended last was put in the open batch. */
  readonly appended: { offset: number; start: number; end: number } = {
    offset: 0,
    start: 0,
    end: 0,
  };
  readonly #context: BrokerContext;
  readonly #shard: JournalShard;
  readonly #builder = new RecordBatchBuilder();
  #open = new CommitGroup();
  #flushing: CommitGroup | null = null;
  #spare: CommitGroup | null = new CommitGroup();
  readonly #sync: boolean;
  readonly #message: Message;
  #waiters: (() => void)[] = [];
  #scheduled = false;
  /** True while the journal refuses messages: a full disk or the configured limit. */
  full = false;
  /** State changes were lost to a full disk: only a checkpoint can make the state durable again. */
  needsCheckpoint = false;
  /** As long as such a checkpoint is not written: what the journal knows of a session may be old. */
  stateIsPartial = false;
  appendedBytesSinceCheckpoint = 0;
  /** What may be appended before messages are refused; state changes may use the reserve below it. */
  roomBytes: number = Number.MAX_SAFE_INTEGER;

  constructor(context: BrokerContext, shard: JournalShard, acknowledge: 'sync' | 'memory') {
    this.#context = context;
    this.#shard = shard;
    this.#sync = acknowledge === 'sync';
    this.#message = new Message(context.router.topicOf('-'));
  }

  get shard(): JournalShard {
    return this.#shard;
  }

  /** State changes of the open group; durable with it. */
  get operations(): OperationWriter {
    this.#schedule();
    return this.#open.operations;
  }

  /** Offset that the next message gets. */
  get nextOffset(): Offset {
    return (this.#shard.next + this.#builder.recordCount) as Offset;
  }

  /** Bytes that wait for the disk: publishers are paused above a mark. */
  get backlogBytes(): number {
    return this.#openBytes + (this.#flushing?.bytes?.length ?? 0);
  }

  get #openBytes(): number {
    return this.#builder.byteLength + this.#open.operations.length;
  }

  /** Whether the open batch can hold one more message: it can't be split. */
  hasRoomFor(message: Message): boolean {
    return this.#openBytes + message.byteCost + BATCH_BYTES_RESERVED <= BATCH_BYTES_MAX;
  }

  /** True when nothing waits for the disk. */
  get isSettled(): boolean {
    return this.#flushing === null && this.#open.isEmpty && this.#builder.recordCount === 0;
  }

  append(message: Message, publisher: ClientSession | null, wanted: MatchResult | null): void {
    // Before and not after the record: what belongs to it, such as a receipt, is in the same batch.
    if (this.batchIsLarge) this.flush();
    this.#schedule();
    const { appended } = this;
    appended.offset = this.nextOffset;
    appended.start = writeMessageRecord(this.#builder, message, publisher?.number ?? 0);
    appended.end = this.#builder.byteLength;
    if (wanted !== null) serveAtAppend(this, wanted.durable, message);
  }

  /** Plans its delivery or leaves it to the catch-up. */
  deliverDirect(session: ClientSession, delivery: Delivery, message: Message): void {
    const consumer = consumerOf(session);
    if (consumer === null) return;
    this.#schedule();
    const offset = this.nextOffset;
    const start = writeDirectRecord(this.#builder, message, session.number);
    const end = this.#builder.byteLength;
    const record = { topic: message.topic, kind: RECORD_KIND.direct, offset, start, end };
    if (!consumer.live) {
      if (consumer.wantsMissed) this.miss(consumer, delivery, record);
    } else if (!session.hasRoom) {
      consumer.fallBehind(offset);
    } else {
      const qos = Math.min(message.qos, Math.max(1, delivery.qos));
      this.plan(session, delivery, { ...record, qos, bytes: null });
    }
  }

  /**
   * Opens an exchange of `session` for the record at `offset` and plans its delivery for the commit.
   * The caller has checked that the window has room.
   */
  plan(
    session: ClientSession,
    delivery: Delivery,
    record: {
      readonly topic: Topic;
      readonly kind: number;
      readonly qos: number;
      readonly offset: number;
      readonly bytes: Uint8Array | null;
      readonly start: number;
      readonly end: number;
      /** Key of the durable group that gives it. */
      readonly givenBy?: string;
    },
  ): void {
    const window = session.window;
    const identifier = window.take(ExchangeState.assigned);
    window.setOffset(identifier, record.offset);
    // A group has a place in the journal of its own: the session's own is not moved by it.
    const { givenBy } = record;
    const qos = givenBy === undefined ? record.qos : record.qos | ASSIGNED_BY_GROUP;
    this.operations.assign(session.number, identifier, qos, record.offset);
    if (givenBy !== undefined) {
      session.noteGiver(identifier, givenBy);
      this.operations.given(session.number, identifier, givenBy);
    }
    this.#open.deliveries.push({
      session,
      delivery,
      identifier,
      qos: record.qos,
      topic: record.topic,
      kind: record.kind,
      bytes: record.bytes,
      start: record.start,
      end: record.end,
    });
    this.#context.markDirty(session);
  }

  /** Notes a message of the open batch for a consumer that is about to catch up. */
  miss(
    consumer: LogConsumer,
    delivery: Delivery,
    record: { topic: Topic; kind: number; offset: number; start: number; end: number },
  ): void {
    this.#open.missed.push({ consumer, delivery, ...record });
  }

  /** Messages that `consumer` missed at `from` or later, in order, with the bytes that hold them (null: the open batch). */
  missedBy(
    consumer: LogConsumer,
    from: number,
  ): { readonly entry: MissedRecord; readonly bytes: Uint8Array | null }[] {
    const found: { entry: MissedRecord; bytes: Uint8Array | null }[] = [];
    for (const group of [this.#flushing, this.#open]) {
      if (group === null) continue;
      for (const entry of group.missed) {
        if (entry.consumer !== consumer || entry.offset < from) continue;
        if (group.bytes !== null) group.pinned = true;
        found.push({ entry, bytes: group.bytes });
      }
    }
    return found;
  }

  /** Bytes of the open batch, valid during this turn. */
  get openBytes(): Uint8Array {
    return this.#builder.bytes;
  }

  acknowledge(
    connection: ClientConnection,
    header: number,
    identifier: number,
    vouchesForRecord: boolean,
    reasonCode = 0,
  ): void {
    if (!this.#sync) {
      connection.writeAcknowledgementWithReason(header, identifier, reasonCode);
      return;
    }
    this.#schedule();
    if (header === PUBACK) connection.waitingPubacks += 1;
    const group = this.#open;
    group.ackConnections.push(connection);
    group.ackHeaders.push(header);
    group.ackIdentifiers.push(identifier);
    group.ackReasonCodes.push(reasonCode);
    group.ackDurable.push(vouchesForRecord ? 1 : 0);
    connection.waitingAcknowledgements += 1;
  }

  /** Runs `then` once everything appended so far is durable, or with false when the append failed. */
  afterCommit(then: (committed: boolean) => void): void {
    this.#schedule();
    this.#open.callbacks.push(then);
  }

  /** They are where they are published. */
  afterRetained(then: () => void): void {
    then();
  }

  /** Resolves at the next commit, whatever it holds. */
  nextCommit(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    this.#schedule();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Everything appended so far is durable when this resolves. */
  async settle(): Promise<void> {
    while (!this.isSettled) {
      this.flush();
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Closes the open group, unless one is being flushed. Called at the end of each turn. */
  flush(): void {
    this.#scheduled = false;
    if (this.#flushing !== null) return;
    const group = this.#open;
    if (group.isEmpty && this.#builder.recordCount === 0) return;
    this.#open = this.#spare ?? new CommitGroup();
    this.#spare = null;
    this.#flushing = group;
    if (group.operations.length > 0) this.#appendOperations(group.operations);
    if (this.#builder.recordCount === 0) {
      this.#committed(group, null);
      return;
    }
    const batch = this.#builder.seal(this.#shard.next, this.#context.nowMs());
    group.bytes = batch.bytes;
    this.appendedBytesSinceCheckpoint += batch.bytes.length;
    this.roomBytes -= batch.bytes.length;
    if (this.roomBytes < 0) this.full = true;
    const startedNs = process.hrtime.bigint();
    this.#shard.append(batch, this.#sync ? 'sync' : 'async').then(
      () => {
        const { histograms } = this.#context;
        histograms.journalFlushNs.observe(Number(process.hrtime.bigint() - startedNs));
        histograms.journalCommitRecords.observe(batch.recordCount);
        this.#committed(group, null);
      },
      (error: unknown) => this.#committed(group, error),
    );
  }

  /** True when the open batch should not grow further in this turn. */
  get batchIsLarge(): boolean {
    return this.#openBytes > BATCH_BYTES_SOFT_MAX;
  }

  async readAt(place: number): Promise<JournalRecord | null> {
    const shard = this.#shard;
    while (place >= shard.committed && place < this.nextOffset) await this.nextCommit();
    try {
      return await shard.readAt(place as Offset);
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_RECORD_CORRUPT')
        throw error;
      this.#context.reportCorruption(error.fault);
      return null;
    }
  }

  subscriptionStart(): number {
    return this.nextOffset;
  }

  exchange(code: number, session: ClientSession, identifier: number): void {
    this.operations.exchange(code, session.number, identifier);
    this.#context.markDirty(session);
  }

  /** There is nothing in the journal for it yet: it starts live. */
  sessionMade(session: ClientSession): void {
    const context = this.#context;
    session.consumer = new LogConsumer(context, new SessionConsumer(context, session), 'live');
    this.#ofSession(OPERATION.session, session, encodeSession(session));
  }

  termsChanged(session: ClientSession): void {
    // What a change builds on may have been lost to a full disk.
    if (this.stateIsPartial) this.#ofSession(OPERATION.session, session, encodeSession(session));
    else this.#ofSession(OPERATION.terms, session, encodeTerms(session));
  }

  /** The cost does not follow the number of subscriptions. */
  subscriptionChanged(session: ClientSession, key: string): void {
    const subscription = session.subscriptions.get(key);
    if (this.stateIsPartial) {
      this.#ofSession(OPERATION.session, session, encodeSession(session));
    } else if (subscription === undefined) {
      this.#ofSession(OPERATION.unsubscribed, session, new TextEncoder().encode(key));
    } else {
      this.#ofSession(OPERATION.subscribed, session, encodeSubscription(key, subscription));
    }
  }

  detached(session: ClientSession): void {
    const consumer = consumerOf(session);
    if (consumer === null) return;
    consumer.fallBehind(consumer.placeInLog(this.nextOffset));
    this.operations.position(session.number, consumer.position);
  }

  sessionEnded(session: ClientSession): void {
    this.operations.sessionEnded(session.number);
  }

  willChanged(clientId: string, will: WillMessage | null): void {
    this.operations.will(clientId, will === null ? NO_WILL : encodeWill(will));
  }

  get gauges(): LogGauges {
    const { name, oldest, committed, next, stats } = this.#shard;
    const { bytes, segments, appendedRecords, flushes } = stats;
    return { name, oldest, committed, next, bytes, segments, appendedRecords, flushes };
  }

  #ofSession(code: number, session: ClientSession, record: Uint8Array): void {
    this.operations.ofSession(code, session.number, record);
    this.#context.markDirty(session);
  }

  #appendOperations(operations: OperationWriter): void {
    const builder = this.#builder;
    builder.beginRecord(RECORD_KIND.operations, NO_TOPIC, 0, 0);
    const start = builder.reserve(operations.length);
    builder.bytes.set(operations.bytes.subarray(0, operations.length), start);
    builder.endRecord();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#context.scheduleFlush();
  }

  #committed(group: CommitGroup, error: unknown): void {
    if (error === null) this.#finish(group, false);
    else this.#refuseAll(group, error);
    this.#flushing = null;
    if (group.bytes !== null && !group.pinned) this.#builder.recycle(group.bytes);
    group.clear();
    this.#spare = group;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
    // What gathered meanwhile goes at once; the sockets are written in the same turn.
    this.flush();
    this.#context.flushOutput();
    this.#context.relievePublishers();
  }

  #finish(group: CommitGroup, failed: boolean): void {
    this.#acknowledgeAll(group, failed);
    const isRefused = failed ? this.#isRefused : null;
    sendDeliveries(this.#context, group, this.#message, isRefused);
    for (const callback of group.callbacks) callback(!failed);
  }

  /**
   * The append failed. What gathered meanwhile was given offsets that follow the failed batch: they
   * will not exist, so the open group fails with it, and nobody's place may lie beyond the end.
   */
  #refuseAll(group: CommitGroup, error: unknown): void {
    this.#fault(error);
    const open = this.#open;
    this.#open = new CommitGroup();
    this.#builder.reset();
    group.missed.length = 0;
    rewindTo(this.#context, this.#shard.next);
    this.#finish(group, true);
    this.#finish(open, true);
  }

  #acknowledgeAll(group: CommitGroup, failed: boolean): void {
    const connections = group.ackConnections;
    for (let index = 0; index < connections.length; index += 1) {
      const connection = connections[index] as ClientConnection;
      const header = group.ackHeaders[index] as number;
      const identifier = group.ackIdentifiers[index] as number;
      connection.waitingAcknowledgements -= 1;
      if (header === PUBACK) connection.waitingPubacks -= 1;
      if (failed && group.ackDurable[index] === 1) {
        connection.refuseMessage(header, identifier);
        // The receipt is withdrawn: a checkpoint may have it.
        if (connection.session?.durable === true) this.#context.markDirty(connection.session);
      } else if (failed && header !== PUBACK) {
        connection.withholdAcknowledgement(header, identifier);
      } else {
        const reasonCode = group.ackReasonCodes[index] as number;
        connection.writeAcknowledgementWithReason(header, identifier, reasonCode);
      }
    }
  }

  /** The message was refused, so nobody gets it. */
  readonly #isRefused = ({ session, identifier, bytes }: PlannedDelivery): boolean => {
    const { window } = session;
    if (window.stateOf(identifier) !== ExchangeState.assigned) return false;
    return bytes === null || window.offsetOf(identifier) >= this.#shard.next;
  };

  /**
   * Exchanges of QoS 2 that wait for their commit, for a checkpoint that stands for the time after it:
   * their state in the window does not tell the QoS.
   */
  plannedExactlyOnce(): ReadonlyMap<ClientSession, ReadonlySet<number>> {
    const found = new Map<ClientSession, Set<number>>();
    for (const group of [this.#flushing, this.#open]) {
      for (const { session, identifier, qos } of group?.deliveries ?? []) {
        if (qos !== 2) continue;
        const known = found.get(session);
        if (known === undefined) found.set(session, new Set([identifier]));
        else known.add(identifier);
      }
    }
    return found;
  }

  #fault(error: unknown): void {
    if (error instanceof JournalError && error.fault.code === 'JOURNAL_FULL') {
      this.full = true;
      this.needsCheckpoint = true;
      this.stateIsPartial = true;
      this.#context.journalFull(error);
      return;
    }
    // The outcome of the flush is unknown: only a restart, which reads what is there, can tell.
    this.#context.fatal('the journal failed', error);
  }
}
