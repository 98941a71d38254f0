import { type Delivery, Message, type Topic } from '@robustmq/broker';
import {
  BATCH_BYTES_MAX,
  JournalError,
  type JournalShard,
  type Offset,
  RecordBatchBuilder,
} from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { type ClientSession, RETAINED } from '../session/client-session.ts';
import { CommitGroup, type MissedRecord, type PlannedDelivery } from './commit-group.ts';
import type { LogConsumer } from './log-consumer.ts';
import { readMessageRecord, writeDirectRecord, writeMessageRecord } from './message-record.ts';
import { ASSIGNED_BY_GROUP, OPERATION, type OperationWriter, RECORD_KIND } from './operations.ts';
import { rewindTo } from './rewind.ts';

const PUBACK = 0x40;
const NO_TOPIC = new Uint8Array(0);
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
export class DurableLog {
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

  /** Appends a message for the sessions that wait for it. @returns where its body lies in the open batch */
  appendMessage(message: Message, publisher: ClientSession | null): number {
    this.#schedule();
    return writeMessageRecord(this.#builder, message, publisher?.number ?? 0);
  }

  /**
   * Appends a message that is for one durable session alone, and plans its delivery or leaves it to
   * the catch-up.
   */
  deliverDirect(session: ClientSession, delivery: Delivery, message: Message): void {
    const { consumer } = session;
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

  /** End of the record appended last. */
  get builderEnd(): number {
    return this.#builder.byteLength;
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

  /**
   * An acknowledgement that leaves when everything up to now is durable; those of one connection
   * leave in the order of their packets (MQTT-5.0 [MQTT-4.6.0-2], [MQTT-4.6.0-3]).
   */
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
    this.#deliverAll(group, failed);
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
        connection.refuseForQuota(header, identifier);
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

  /** When the append failed, what was read from the journal before goes out all the same. */
  #deliverAll(group: CommitGroup, failed: boolean): void {
    const message = this.#message;
    const { encoder } = this.#context;
    let loadedBytes: Uint8Array | null = null;
    let loadedStart = -1;
    for (const planned of group.deliveries) {
      if (failed && this.#isRefused(planned)) {
        planned.session.completeExchange(planned.identifier);
        loadedStart = -1;
        continue;
      }
      const bytes = planned.bytes ?? group.bytes;
      if (bytes === null) continue;
      if (bytes !== loadedBytes || planned.start !== loadedStart) {
        loadedBytes = bytes;
        loadedStart = planned.start;
        readMessageRecord(bytes, planned, { message, topic: planned.topic, kind: planned.kind });
        if (planned.kind === RECORD_KIND.direct) message.publisher = RETAINED;
        encoder.load(message, this.#context.nowMs());
      }
      // What a free window lets through next may have loaded another message.
      if (!this.#deliver(message, planned)) loadedStart = -1;
    }
  }

  /** The message was refused, so nobody gets it. */
  #isRefused({ session, identifier, bytes }: PlannedDelivery): boolean {
    const { window } = session;
    if (window.stateOf(identifier) !== ExchangeState.assigned) return false;
    return bytes === null || window.offsetOf(identifier) >= this.#shard.next;
  }

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

  /** @returns false when the message was given up and its place in the window is free again */
  #deliver(message: Message, planned: PlannedDelivery): boolean {
    const { session, identifier, qos } = planned;
    const window = session.window;
    if (window.stateOf(identifier) !== ExchangeState.assigned) return true; // the session was reset
    window.setState(
      identifier,
      qos === 1 ? ExchangeState.awaitingPuback : ExchangeState.awaitingPubrec,
    );
    // Offline by now: the exchange stays open and is repeated at the next connection.
    if (session.connection === null) return true;
    if (session.resending) {
      session.addUnsent(identifier);
      return true;
    }
    if (session.send(message, planned.delivery, { qos, identifier, dup: false })) return true;
    session.logExchange(OPERATION.release, identifier);
    session.completeExchange(identifier);
    return false;
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
