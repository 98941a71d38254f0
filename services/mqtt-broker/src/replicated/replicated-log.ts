import { type Delivery, type MatchResult, Message, retainedRecordOf } from '@robustmq/broker';
import {
  BATCH_BYTES_MAX,
  type JournalError,
  type JournalFault,
  type JournalRecord,
} from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import { log, logEvents } from '@robustmq/telemetry';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import {
  type BrokerLog,
  JOURNAL_IS_FULL,
  type LogGauges,
  type LogRefusal,
} from '../durable/broker-log.ts';
import {
  type Deal,
  writeDealtRecord,
  writeDirectRecord,
  writeOriginRecord,
} from '../durable/message-record.ts';
import { OPERATION } from '../durable/operations.ts';
import { sendDeliveries } from '../durable/send-deliveries.ts';
import { PublishOutcome } from '../publish-message.ts';
import type { ClientSession } from '../session/client-session.ts';
import { AcknowledgementLanes } from './acknowledgement-lanes.ts';
import type { CommitRound } from './commit-round.ts';
import type { CursorHost } from './cursor-host.ts';
import { giveBackUnread } from './give-back-dealt.ts';
import { GroupRecords } from './group-records.ts';
import { MessageRounds } from './message-rounds.ts';
import type { MessageShards } from './message-shards.ts';
import { OriginInHand } from './origin-in-hand.ts';
import { RecordInHand } from './record-in-hand.ts';
import type { ReplicatedGroups } from './replicated-groups.ts';
import type { ReplicatedStorage } from './replicated-storage.ts';
import type { RepeatedPublishes } from './repeated-publishes.ts';
import { encodeRetainedValue } from './retained-value.ts';
import { SessionCursor } from './session-cursor.ts';
import { SessionRecords } from './session-records.ts';
import type { ShardWriter } from './shard-writer.ts';
import { TableRounds } from './table-rounds.ts';
import type { TableWriter } from './table-writer.ts';
import { Vouches, WaitingAcknowledgement } from './waiting-acknowledgement.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;
/** A batch is closed early at this size, so that one append stays short. */
const BATCH_BYTES_SOFT_MAX = 1024 * 1024;
const BATCH_BYTES_RESERVED = 64 * 1024;
const NO_SHARD = -1;
/** How long messages are refused after a shard said that it is full. */
const FULL_MS = 1000;
/** A SUBSCRIBE waits so long for the retained messages of the cluster. */
const RETAINED_DEADLINE_MS = 5000;

/**
 * The broker's side of the shards of a cluster: messages and records of sessions gather during a turn; at
 * its end each shard gets its part. What waits for a part is said when that one is committed, and an
 * acknowledgement besides in the order of its session's packets: a shard without a leader holds up those
 * who publish to it, and nobody else.
 *
 * Durable sessions are not served here: `ShardFeed` brings them what is committed, from this broker as
 * from all others.
 */
export class ReplicatedLog implements BrokerLog, CursorHost {
  readonly bringsRetained = true;
  readonly refusal: LogRefusal = JOURNAL_IS_FULL;
  readonly record: RecordInHand;
  readonly #context: BrokerContext;
  readonly #storage: ReplicatedStorage;
  readonly sessions: SessionRecords;
  readonly groupRecords: GroupRecords;
  readonly groups: ReplicatedGroups;
  readonly #message: Message;
  readonly #messages: MessageRounds;
  readonly #tables: TableRounds;
  readonly #lanes: AcknowledgementLanes;
  /** Their records are written at the end of the turn. */
  readonly #openSessions = new Set<ClientSession>();
  #waiters: (() => void)[] = [];
  #scheduled = false;
  #fullUntilMs = 0;
  /** Of the message appended last, which its acknowledgement follows. */
  #lastShard = NO_SHARD;
  #lastRetained: TableWriter | null = null;
  #lastIsOfClient = false;
  readonly #origin: OriginInHand;

  constructor(context: BrokerContext, storage: ReplicatedStorage, groups: ReplicatedGroups) {
    this.#context = context;
    this.groups = groups;
    this.#storage = storage;
    this.record = new RecordInHand(context);
    this.#origin = new OriginInHand(context);
    this.#message = new Message(context.router.topicOf('-'));
    this.sessions = new SessionRecords(storage.sessionTables, context.timers);
    this.groupRecords = new GroupRecords(this.sessions, context.timers);
    this.#messages = new MessageRounds(context, storage, (round, error) =>
      this.#messagesFinished(round, error),
    );
    const tables = [...storage.sessionTables, ...storage.retainedTables];
    this.#tables = new TableRounds(tables, (round) => this.#recordsFinished(round));
    this.#lanes = new AcknowledgementLanes((session) => this.saveWith(session));
  }

  get shards(): MessageShards {
    return this.#storage.shards;
  }

  get full(): boolean {
    if (this.#fullUntilMs > 0 && this.#context.clock.monotonicMs() > this.#fullUntilMs)
      this.#fullUntilMs = 0;
    return this.#fullUntilMs > 0 || this.#storage.sessionTables.some(({ full }) => full);
  }

  get backlogBytes(): number {
    return this.#messages.bytes;
  }

  get isSettled(): boolean {
    const isGathering = this.#openSessions.size > 0 || !this.#lanes.isEmpty;
    return !isGathering && this.#messages.isIdle && this.#tables.isIdle;
  }

  get batchIsLarge(): boolean {
    return this.#storage.writers.some((_, shard) => this.isLargeAt(shard));
  }

  /** What gathers in the shard should not grow further in this turn. */
  isLargeAt(shard: number): boolean {
    return this.#writer(shard).builder.byteLength > BATCH_BYTES_SOFT_MAX;
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
      appendedRecords: this.#messages.appendedRecords,
      flushes: this.#messages.appends,
    };
  }

  hasRoomFor(message: Message): boolean {
    const { builder } = this.#writerOf(message);
    return builder.byteLength + message.byteCost + BATCH_BYTES_RESERVED <= BATCH_BYTES_MAX;
  }

  append(message: Message, publisher: ClientSession | null, wanted: MatchResult | null): void {
    this.#schedule();
    this.#lastShard = NO_SHARD;
    this.#lastRetained = null;
    this.#lastIsOfClient = message === this.#context.message && message.qos > 0;
    if (message.retain && !message.topic.reserved) this.#retain(message, publisher);
    if (wanted === null) return;
    const shard = this.shards.shardOf(message.topic.hash);
    const { builder } = this.#writer(shard);
    // Before the record: what belongs to it, such as its acknowledgement, gathers with it.
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

  /** See `DurableSessions.publishAs`. */
  publishAs(name: string, publish: () => PublishOutcome): Promise<boolean> {
    this.#lastShard = NO_SHARD;
    this.#lastRetained = null;
    this.#origin.publication = name;
    const outcome = publish();
    this.#origin.publication = null;
    const rounds: CommitRound[] = [];
    if (this.#lastShard !== NO_SHARD) rounds.push(this.#messages.gathering(this.#lastShard));
    if (this.#lastRetained !== null) rounds.push(this.#tables.gathering(this.#lastRetained));
    const isTaken = outcome !== PublishOutcome.refused;
    const committed = rounds.map(
      ({ outcomes }) => new Promise<boolean>((resolve) => outcomes.push(resolve)),
    );
    return Promise.all(committed).then((all) => isTaken && all.every(Boolean));
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
    this.#messages.gathering(shard).outcomes.push(then);
  }

  acknowledge(
    connection: ClientConnection,
    header: number,
    identifier: number,
    vouchesForRecord: boolean,
    reasonCode = 0,
  ): void {
    const session = connection.session as ClientSession;
    const shard = this.#lastShard;
    const retained = this.#lastRetained;
    const vouches = vouchesForRecord ? this.#vouchesFor(header) : Vouches.nothing;
    const what = { identifier, reasonCode, vouches };
    const waiting = new WaitingAcknowledgement(connection, header, what);
    if (vouches === Vouches.message) waitFor(this.#messages.gathering(shard), waiting);
    if (vouchesForRecord && retained !== null) waitFor(this.#tables.gathering(retained), waiting);
    this.#lastRetained = null;
    // Its receipt, or that there is none any more, is in the session's record.
    if (header !== PUBACK && session.durable && !this.#isRecorded(session)) {
      waitFor(this.#recordOf(session), waiting);
    }
    if (waiting.needs > 0) this.#schedule();
    this.#lanes.add(session, waiting);
  }

  afterCommit(then: (committed: boolean) => void, session: ClientSession): void {
    this.#schedule();
    this.#recordOf(session).outcomes.push(then);
  }

  /** Runs `then` once everything of the session up to now, its record included, is committed. */
  afterAll(session: ClientSession, then: () => void): void {
    this.saveWith(session);
    this.afterCommit(() => this.#lanes.afterAll(session, then), session);
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
    this.#messages.flush();
    for (const table of this.sessions.putAll(this.#openSessions)) this.#tables.touch(table);
    this.#openSessions.clear();
    this.#tables.flush();
  }

  /** The session's record is written at the end of the turn. */
  saveWith(session: ClientSession): void {
    this.#schedule();
    this.#openSessions.add(session);
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
    if (code === OPERATION.receipt || code === OPERATION.receiptReleased) {
      (session.repeats as RepeatedPublishes | null)?.settle(identifier);
    }
    this.saveWith(session);
  }

  sessionMade(session: ClientSession): void {
    session.consumer = new SessionCursor(this, session, null);
    this.saveWith(session);
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
    this.#openSessions.delete(session);
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
    return Math.max(this.feedPosition(shard), this.#messages.at(shard).finishedEnd);
  }

  watermark(shard: number): number {
    const { finishedEnd, isIdle } = this.#messages.at(shard);
    return isIdle ? this.knownEnd(shard) : finishedEnd;
  }

  planExactlyOnce(session: ClientSession, delivery: Delivery, record: RecordInHand): void {
    const { window } = session;
    const identifier = window.take(ExchangeState.assigned);
    const { topic, kind, body, place } = record;
    window.setOffset(identifier, place);
    this.saveWith(session);
    this.#recordOf(session).deliveries.push({
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

  giveBack(record: RecordInHand, deal: Deal, denied: string | null): void {
    giveBackUnread(this.#context, this, { record, deal, denied });
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
  #vouchesFor(header: number): Vouches {
    const isOfClient = this.#lastIsOfClient;
    this.#lastIsOfClient = false;
    if (isOfClient) return this.#lastShard === NO_SHARD ? Vouches.nothing : Vouches.message;
    return header === PUBREC ? Vouches.repeated : Vouches.nothing;
  }

  /** What waits for the session's record. */
  #recordOf(session: ClientSession): CommitRound {
    return this.#tables.gathering(this.sessions.tableOf(session.clientId));
  }

  /** Its record says all there is to say, as far as this broker has been told. */
  #isRecorded(session: ClientSession): boolean {
    if (this.#openSessions.has(session)) return false;
    return this.#tables.isIdleAt(this.sessions.tableOf(session.clientId));
  }

  #retain(message: Message, publisher: ClientSession | null): void {
    const { retainedTables } = this.#storage;
    const number = message.topic.hash % retainedTables.length;
    const value =
      message.payloadLength === 0
        ? null
        : encodeRetainedValue(publisher?.clientId ?? '', retainedRecordOf(message));
    // The newest in the order of the shard counts, whoever wrote it.
    const table = retainedTables[number] as TableWriter;
    table.put(message.topic.name, {
      fence: 0,
      value: () => value,
      refused: () => {},
    });
    this.#tables.touch(table);
    this.#lastRetained = table;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#context.scheduleFlush();
  }

  #messagesFinished(round: CommitRound, error: JournalError | null): void {
    if (error?.fault.code === 'JOURNAL_FULL') {
      this.#fullUntilMs = this.#context.clock.monotonicMs() + FULL_MS;
      this.#context.journalFull(error);
    }
    for (const waiting of round.acknowledgements) waiting.decided(error === null);
    for (const waiting of round.acknowledgements) this.#lanes.goOn(waiting);
    for (const then of round.outcomes) then(error === null);
    this.#goOn();
  }

  #recordsFinished(round: CommitRound): void {
    for (const waiting of round.acknowledgements) waiting.needs -= 1;
    for (const waiting of round.acknowledgements) this.#lanes.goOn(waiting);
    if (round.deliveries.length > 0) {
      const planned = { deliveries: round.deliveries, bytes: null };
      sendDeliveries(this.#context, planned, this.#message, isOver);
    }
    for (const then of round.outcomes) then(true);
    this.#goOn();
  }

  /** What gathered meanwhile goes at the end of the turn, and the sockets are written then. */
  #goOn(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
    this.#schedule();
    this.#context.relievePublishers();
  }
}

function waitFor(round: CommitRound, waiting: WaitingAcknowledgement): void {
  waiting.needs += 1;
  round.acknowledgements.push(waiting);
}

/** A session that was taken over meanwhile says nothing more. */
function isOver({ session }: { readonly session: ClientSession }): boolean {
  return cursorOf(session)?.isOurs !== true;
}

export function cursorOf(session: ClientSession): SessionCursor | null {
  return session.consumer instanceof SessionCursor ? session.consumer : null;
}
