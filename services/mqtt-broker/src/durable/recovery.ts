import { Message, Subscription } from '@robustmq/broker';
import type { JournalRecord, JournalShard, Offset } from '@robustmq/journal';
import { JournalError } from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import { parseSubscriptionFilter } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import { ClientSession } from '../session/client-session.ts';
import {
  decodeSession,
  decodeState,
  decodeSubscription,
  decodeTerms,
  type SessionRecord,
  type SessionTerms,
} from '../session/session-record.ts';
import { decodeWill } from '../session/wills.ts';
import { type CheckpointMark, decodeMark, ENTRY } from './checkpoint.ts';
import { consumerOf, embeddedGroups } from './embedded-log.ts';
import { LogConsumer } from './log-consumer.ts';
import { readMessageRecord } from './message-record.ts';
import {
  ASSIGNED_BY_GROUP,
  FieldReader,
  OPERATION,
  type OperationTarget,
  RECORD_KIND,
  replayOperations,
} from './operations.ts';
import { rewindTo } from './rewind.ts';
import { SessionConsumer } from './session-consumer.ts';

const UTF8 = new TextEncoder();

/** What was found at start, for the log and the ready check. */
export interface RecoverySummary {
  readonly sessions: number;
  readonly retained: number;
  readonly recordsReplayed: number;
  readonly position: number;
}

/**
 * Rebuilds the state as it was at the end of the journal: the entries of the last checkpoint, then
 * every record from its mark on. Sessions come back offline and behind; nothing is delivered here.
 */
export class Recovery implements OperationTarget {
  readonly #context: BrokerContext;
  /** Entries arrive in any order; state needs its session first. */
  readonly #states = new Map<string, Uint8Array>();
  readonly #wills = new Map<string, Uint8Array>();
  #records = 0;
  /** Not after the first record of the batch whose operations are replayed. */
  #batchFirst = 0;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  /** One entry of the checkpoint, the latest of its key. */
  entry(key: string, value: Uint8Array): void {
    const name = key.slice(1);
    switch (key[0]) {
      case ENTRY.session:
        this.#restoreSession(decodeSession(value), { number: 0, position: 0 });
        break;
      case ENTRY.state:
        this.#states.set(name, value);
        break;
      case ENTRY.retained:
        this.#restoreRetained(name, value);
        break;
      case ENTRY.will:
        this.#wills.set(name, value);
        break;
      case ENTRY.group:
        this.#restoreGroup(name, new FieldReader(value));
        break;
      default:
        throw new Error(`the checkpoint holds an entry of a newer version: ${key[0]}`);
    }
  }

  /** All entries are read: replay the journal from the mark on. */
  async replay(commit: Uint8Array | null, shard: JournalShard): Promise<RecoverySummary> {
    const mark: CheckpointMark =
      commit === null ? { position: 0, nextSessionNumber: 1 } : decodeMark(commit);
    for (const [clientId, state] of this.#states) this.#restoreState(clientId, state);
    const { sessions } = this.#context;
    if (mark.nextSessionNumber > sessions.nextNumber) sessions.nextNumber = mark.nextSessionNumber;
    this.#batchFirst = mark.position;
    await this.#replayFrom(Math.max(mark.position, shard.oldest), shard);
    this.#finish(shard);
    return {
      sessions: sessions.count,
      retained: this.#context.retained.count,
      recordsReplayed: this.#records,
      position: mark.position,
    };
  }

  assign(session: number, identifier: number, qos: number, offset: number): void {
    const owner = this.#context.sessions.byNumber(session);
    if (owner === undefined) return;
    // Whether it left before the crash is not known: it is repeated with DUP.
    const exactlyOnce = (qos & ~ASSIGNED_BY_GROUP) === 2;
    const state = exactlyOnce ? ExchangeState.awaitingPubrec : ExchangeState.awaitingPuback;
    owner.window.restore(identifier, state, offset);
    owner.forgetGiver(identifier);
    const consumer = consumerOf(owner);
    const own = (qos & ASSIGNED_BY_GROUP) === 0;
    if (own && consumer !== null && offset >= consumer.position) consumer.position = offset + 1;
    this.#context.markDirty(owner);
  }

  given(session: number, identifier: number, groupKey: string): void {
    this.#context.sessions.byNumber(session)?.noteGiver(identifier, groupKey);
  }

  exchange(code: number, session: number, identifier: number): void {
    const owner = this.#context.sessions.byNumber(session);
    if (owner === undefined) return;
    this.#context.markDirty(owner);
    if (code === OPERATION.receipt) owner.receipts.add(identifier);
    else if (code === OPERATION.receiptReleased) owner.receipts.release(identifier);
    else if (code === OPERATION.release) {
      owner.window.release(identifier);
      owner.forgetGiver(identifier);
    } else if (owner.window.stateOf(identifier) !== ExchangeState.free) {
      owner.window.setState(identifier, ExchangeState.awaitingPubcomp);
    }
  }

  session(number: number, bytes: Uint8Array): void {
    const record = decodeSession(bytes);
    const known = this.#context.sessions.find(record.clientId);
    if (known !== undefined && known.number === number) {
      this.#applyRecord(known, record);
    } else {
      if (known !== undefined) this.#context.sessions.discard(known);
      // It was live from the start, and messages of the same batch may be for it already; what is
      // older than a subscription is kept from it by `since`.
      this.#restoreSession(record, { number, position: this.#batchFirst });
    }
    const owner = this.#context.sessions.find(record.clientId);
    if (owner !== undefined) this.#context.markDirty(owner);
  }

  terms(number: number, bytes: Uint8Array): void {
    const owner = this.#context.sessions.byNumber(number);
    if (owner === undefined) return;
    applyTerms(owner, decodeTerms(bytes));
    this.#context.markDirty(owner);
  }

  subscribed(number: number, bytes: Uint8Array): void {
    const owner = this.#context.sessions.byNumber(number);
    if (owner === undefined) return;
    const record = decodeSubscription(bytes);
    this.#unsubscribe(owner, record.key);
    this.#subscribe(owner, record);
    this.#context.markDirty(owner);
  }

  unsubscribed(number: number, key: string): void {
    const owner = this.#context.sessions.byNumber(number);
    if (owner === undefined) return;
    this.#unsubscribe(owner, key);
    this.#context.markDirty(owner);
  }

  sessionEnded(number: number): void {
    const owner = this.#context.sessions.byNumber(number);
    if (owner === undefined) return;
    this.#context.sessions.discard(owner);
    this.#context.sessions.ended.add(owner.clientId);
    this.#context.dirtySessions.delete(owner);
  }

  position(session: number, position: number): void {
    const owner = this.#context.sessions.byNumber(session);
    const consumer = owner === undefined ? null : consumerOf(owner);
    if (owner === undefined || consumer === null) return;
    consumer.position = position;
    this.#context.markDirty(owner);
  }

  retainedDeleted(topic: string): void {
    const bytes = UTF8.encode(topic);
    this.#context.retained.delete(bytes);
    this.#context.retained.markChanged(bytes);
  }

  groupPosition(key: string, position: number): void {
    embeddedGroups(this.#context).restorePosition(key, position);
    embeddedGroups(this.#context).markDirty(key);
  }

  groupReturn(key: string, offset: number): void {
    embeddedGroups(this.#context).restorePending(key, offset, 'pending');
  }

  groupDone(key: string, offset: number): void {
    embeddedGroups(this.#context).restorePending(key, offset, 'done');
  }

  groupEnded(key: string): void {
    embeddedGroups(this.#context).forgetPosition(key);
  }

  will(clientId: string, record: Uint8Array): void {
    if (record.length === 0) this.#wills.delete(clientId);
    else this.#wills.set(clientId, record);
    // The next checkpoint's mark may pass this record, and the will of the last one is outdated.
    this.#context.wills.markDirty(clientId);
  }

  async #replayFrom(position: number, shard: JournalShard): Promise<void> {
    let reader = shard.openReader(position as Offset, { kind: 'everything' });
    for (;;) {
      let records: readonly JournalRecord[];
      try {
        records = await reader.read(4096, 4 * 1024 * 1024);
      } catch (error) {
        if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_RECORD_CORRUPT')
          throw error;
        this.#context.reportCorruption(error.fault);
        reader = shard.openReader(error.fault.after, { kind: 'everything' });
        continue;
      }
      if (records.length === 0) return;
      for (const record of records) this.#replayRecord(record);
    }
  }

  #replayRecord(record: JournalRecord): void {
    this.#records += 1;
    if (record.kind === RECORD_KIND.operations) {
      replayOperations(record.body, this);
      this.#batchFirst = record.offset + 1;
    } else if (record.kind === RECORD_KIND.message) this.#replayRetained(record);
  }

  #replayRetained(record: JournalRecord): void {
    if (((record.body[0] as number) & 0x04) === 0) return;
    const topic = this.#context.router.passingTopicOf(record.topic);
    const message = new Message(topic);
    const range = { start: 0, end: record.body.length };
    readMessageRecord(record.body, range, { message, topic, kind: record.kind });
    const { retained } = this.#context;
    if (message.payloadLength > 0) retained.set(message, '');
    else retained.delete(topic.bytes);
    retained.markChanged(topic.bytes);
  }

  #restoreSession(
    record: SessionRecord,
    place: { readonly number: number; readonly position: number },
  ): void {
    const session = new ClientSession(
      this.#context,
      { clientId: record.clientId, username: record.username, remoteAddress: '' },
      { sessionExpirySeconds: record.sessionExpirySeconds },
    );
    session.epoch = record.epoch;
    session.superuser = record.superuser;
    session.expiresAtMs = record.expiresAtMs;
    this.#putPlace(session, place);
    for (const subscription of record.subscriptions) this.#subscribe(session, subscription);
  }

  #putPlace(
    session: ClientSession,
    place: { readonly number: number; readonly position: number },
  ): void {
    const context = this.#context;
    const owner = new SessionConsumer(context, session);
    context.sessions.restore(
      session,
      place.number,
      new LogConsumer(context, owner, place.position),
    );
  }

  #restoreGroup(key: string, reader: FieldReader): void {
    const groups = embeddedGroups(this.#context);
    groups.restorePosition(key, reader.f64());
    if (reader.done) return;
    for (let left = reader.u32(); left > 0; left -= 1) {
      groups.restorePending(key, reader.f64(), 'pending');
    }
  }

  #restoreState(clientId: string, bytes: Uint8Array): void {
    const session = this.#context.sessions.find(clientId);
    if (session === undefined) return;
    const state = decodeState(bytes);
    this.#putPlace(session, state);
    for (const { id, state: exchange, offset } of state.exchanges) {
      session.window.restore(id, exchange as ExchangeState, offset);
    }
    for (const { id, by } of state.given) session.noteGiver(id, by);
    for (const receipt of state.receipts) session.receipts.add(receipt);
  }

  /** Terms and subscriptions as they are now; what stays the same keeps its place. */
  #applyRecord(session: ClientSession, record: SessionRecord): void {
    applyTerms(session, record);
    for (const key of [...session.subscriptions.keys()]) this.#unsubscribe(session, key);
    for (const subscription of record.subscriptions) this.#subscribe(session, subscription);
  }

  #unsubscribe(session: ClientSession, key: string): void {
    const subscription = session.removeSubscription(key);
    if (subscription !== undefined) this.#context.router.unsubscribe(subscription);
  }

  #subscribe(session: ClientSession, record: SessionRecord['subscriptions'][number]): void {
    const parsed = parseSubscriptionFilter(record.key, {
      topicBytesMax: 65535,
      topicLevelsMax: 65536,
    });
    if (!parsed.ok) return;
    const subscription = new Subscription(parsed.value.filter, session, record);
    session.addSubscription(record.key, subscription);
    this.#context.router.subscribe(subscription, parsed.value.shareName);
    session.noteGroups();
  }

  #restoreRetained(name: string, value: Uint8Array): void {
    this.#context.retained.restore(UTF8.encode(name), value);
  }

  #finish(shard: JournalShard): void {
    const context = this.#context;
    const nowMs = Date.now();
    for (const session of [...context.sessions.all()]) {
      if (session.number === 0) {
        context.sessions.discard(session);
        continue;
      }
      context.sessions.startExpiry(session, nowMs);
      forgetBeyond(session, shard.next);
    }
    embeddedGroups(context).restoreGroups(shard.next);
    rewindTo(context, shard.next);
    for (const [clientId, bytes] of this.#wills) this.#restoreWill(clientId, bytes);
  }

  #restoreWill(clientId: string, bytes: Uint8Array): void {
    const context = this.#context;
    const session =
      context.sessions.find(clientId) ??
      new ClientSession(
        context,
        { clientId, username: null, remoteAddress: '' },
        { sessionExpirySeconds: 0 },
      );
    context.wills.restore(session, decodeWill(context, bytes));
    context.restoredWills.push(session);
  }
}

function applyTerms(session: ClientSession, terms: SessionTerms): void {
  session.sessionExpirySeconds = terms.sessionExpirySeconds;
  session.epoch = terms.epoch;
  session.expiresAtMs = terms.expiresAtMs;
  session.superuser = terms.superuser;
  session.identity = { clientId: terms.clientId, username: terms.username, remoteAddress: '' };
}

/** Exchanges whose message is not in the journal after all. */
function forgetBeyond(session: ClientSession, next: number): void {
  if (!session.hasWindow) return;
  for (const { id, offset } of session.window.open()) {
    if (offset < next) continue;
    session.window.release(id);
    session.forgetGiver(id);
  }
}
