import { Delivery, type Subscription, type Topic } from '@robustmq/broker';
import {
  JournalError,
  type JournalReader,
  type JournalRecord,
  type Offset,
  type RecordSelector,
} from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import type { SessionReader } from './broker-log.ts';
import type { DurableLog } from './durable-log.ts';
import { embeddedLog } from './embedded-log.ts';
import { directNameOf } from './message-record.ts';
import { RECORD_KIND } from './operations.ts';

const READ_RECORDS_MAX = 1024;
const READ_BYTES_MAX = 512 * 1024;

/** What a {@link LogConsumer} reads for: a session, or a shared group with a durable member. */
export interface ConsumerOwner {
  /** Whether one more message can be taken now. */
  readonly hasRoom: boolean;
  /** Filters and options in force. */
  selector(): RecordSelector;
  /** How a message on `topic` at `offset` is to be delivered, or null when it is not for the owner. */
  deliveryOf(topic: Topic, offset: number, kind: number): Delivery | null;
  /** Takes one message. @returns false when it could not: it is offered again later */
  take(record: ConsumedRecord): boolean;
  /** Forgets what it remembers of the filters. */
  forget(): void;
  /** Something about the place in the journal changed: save it at the next checkpoint. */
  placeChanged(): void;
}

export interface ConsumedRecord {
  readonly delivery: Delivery;
  readonly topic: Topic;
  readonly offset: number;
  readonly kind: number;
  /** Body of the record; null: in the open batch. */
  readonly bytes: Uint8Array | null;
  readonly start: number;
  readonly end: number;
}

/**
 * The place of a durable reader in the journal.
 *
 *     live ── no room, or offline ──► behind ── read up to the open batch ──► live
 *
 * While *live*, each message is handed over as it is appended. While *behind*, messages are only
 * kept in the journal and read from `position` on when there is room: a message for 10 000 sessions
 * that are away is written once and costs them nothing.
 *
 * Going live again loses nothing: before the last stretch is read, the log is asked to note what is
 * appended for this consumer (`recordFrom`); what was noted and not read is taken in order, in one
 * turn with the switch.
 *
 * Invariant: while behind, every record below `position` is dealt with.
 */
export class LogConsumer implements SessionReader {
  live: boolean;
  /** Meaningful while behind. */
  position: number;
  readonly #context: BrokerContext;
  readonly #owner: ConsumerOwner;
  /** Records from here on are noted by the log; -1: not yet. */
  #recordFrom = -1;
  #reading = false;
  #stopped = false;
  #generation = 0;
  #lastTopic: Topic | null = null;

  constructor(context: BrokerContext, owner: ConsumerOwner, position: number | 'live') {
    this.#context = context;
    this.#owner = owner;
    this.live = position === 'live';
    this.position = position === 'live' ? 0 : position;
  }

  get #log(): DurableLog {
    return embeddedLog(this.#context);
  }

  /** Whether the log must note what is appended for this consumer. */
  get wantsMissed(): boolean {
    return this.#recordFrom >= 0;
  }

  /** The oldest record that is still needed. */
  placeInLog(next: number): number {
    return this.live ? next : this.position;
  }

  /** The record at `offset` could not be taken: it and all later ones are read from the journal. */
  fallBehind(offset: number): void {
    if (this.live) {
      this.live = false;
      this.position = offset;
    } else if (offset < this.position) {
      this.position = offset;
    }
    this.#recordFrom = -1;
    this.#generation += 1;
    this.#owner.placeChanged();
  }

  /** Filters changed: a reader that is open looks for the wrong topics. */
  filtersChanged(): void {
    this.#owner.forget();
    this.#generation += 1;
  }

  /** There is room (again): read on if anything is left. */
  roomAvailable(): void {
    if (this.live || this.#reading || this.#stopped) return;
    this.#reading = true;
    this.#catchUp().catch((error: unknown) => {
      if (!isClosed(error)) this.#context.fatal('reading the journal failed', error);
    });
  }

  /** Nothing below `position` is for the owner, or it is given up. */
  skipTo(position: number): void {
    if (this.live || this.position >= position) return;
    this.position = position;
    this.#generation += 1;
    this.#owner.placeChanged();
  }

  /** How many messages from its place to `after` wait for the owner. */
  async countBefore(after: number): Promise<number> {
    let count = 0;
    if (this.live || this.position >= after) return count;
    const from = this.position as Offset;
    const reader = this.#log.shard.openReader(from, this.#owner.selector());
    while (reader.position < after) {
      const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
      if (records.length === 0) break;
      for (const { kind, offset, topic, body } of records) {
        if (kind === RECORD_KIND.operations || offset >= after) continue;
        const name = kind === RECORD_KIND.direct ? directNameOf(body, 0) : topic;
        const delivery = this.#owner.deliveryOf(this.#context.router.topicOf(name), offset, kind);
        if (delivery !== null) count += 1;
      }
    }
    return count;
  }

  /** The journal ends at `next` after all: nothing is behind it. */
  rewindTo(next: number): void {
    if (this.position > next) this.position = next;
    if (this.#recordFrom > next) this.#recordFrom = next;
    this.#generation += 1;
  }

  deliveryOf(topic: Topic, place: number, kind: number): Delivery | null {
    return this.#owner.deliveryOf(topic, place, kind);
  }

  stop(): void {
    this.#stopped = true;
    this.#recordFrom = -1;
  }

  async #catchUp(): Promise<void> {
    try {
      while (!this.live && !this.#stopped && this.#owner.hasRoom) {
        const generation = this.#generation;
        const reader = this.#log.shard.openReader(this.position as Offset, this.#owner.selector());
        await this.#readAll(reader, generation);
      }
    } finally {
      // In the same step as the last look: room that comes now starts a new catch-up.
      this.#reading = false;
    }
  }

  async #readAll(reader: JournalReader, generation: number): Promise<void> {
    const current = (): boolean =>
      generation === this.#generation && !this.#stopped && this.#owner.hasRoom;
    while (current() && !this.live) {
      if (this.#recordFrom < 0) this.#recordFrom = this.#log.nextOffset;
      const records = await this.#read(reader);
      if (records === null || generation !== this.#generation || this.#stopped) return;
      if (!this.#takeAll(records, reader)) return;
      if (records.length > 0) continue;
      const log = this.#log;
      // A commit during the read has moved messages from the groups, where they were noted, to the
      // journal: they are read first.
      if (this.position < log.shard.committed) continue;
      if (this.position >= this.#recordFrom) this.#goLive();
      else await log.nextCommit();
    }
  }

  /** @returns null when the reader must be opened anew */
  async #read(reader: JournalReader): Promise<readonly JournalRecord[] | null> {
    try {
      return await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      const { fault } = error;
      if (fault.code === 'JOURNAL_OFFSET_TRIMMED') this.position = fault.oldest;
      else if (fault.code === 'JOURNAL_RECORD_CORRUPT') {
        this.#context.reportCorruption(fault);
        this.position = Math.max(fault.after, this.position + 1);
      } else throw error;
      this.#generation += 1;
      return null;
    }
  }

  /** @returns false when there was no room for all: `position` is at the first one left */
  #takeAll(records: readonly JournalRecord[], reader: JournalReader): boolean {
    for (const record of records) {
      const topic = this.#topicOf(record);
      const delivery =
        record.kind === RECORD_KIND.operations
          ? null
          : this.#owner.deliveryOf(topic, record.offset, record.kind);
      if (delivery !== null) {
        const taken =
          this.#owner.hasRoom &&
          this.#owner.take({
            delivery,
            topic,
            offset: record.offset,
            kind: record.kind,
            bytes: record.body,
            start: 0,
            end: record.body.length,
          });
        if (!taken) {
          this.position = record.offset;
          this.#recordFrom = -1;
          this.#owner.placeChanged();
          return false;
        }
      }
      this.position = record.offset + 1;
    }
    if (records.length === 0) this.position = reader.position;
    this.#owner.placeChanged();
    return true;
  }

  /** Records of one topic mostly follow each other: the name is looked up when it changes. */
  #topicOf(record: JournalRecord): Topic {
    const name = record.kind === RECORD_KIND.direct ? directNameOf(record.body, 0) : record.topic;
    if (this.#lastTopic === null || this.#lastTopic.name !== name) {
      this.#lastTopic = this.#context.router.topicOf(name);
    }
    return this.#lastTopic;
  }

  /** Takes what was appended meanwhile and joins the live path, all in this turn. */
  #goLive(): void {
    const missed = this.#log.missedBy(this, this.position);
    for (const { entry, bytes } of missed) {
      const taken = this.#owner.hasRoom && this.#owner.take({ ...entry, bytes });
      if (!taken) {
        this.position = entry.offset;
        this.#recordFrom = -1;
        return;
      }
      this.position = entry.offset + 1;
    }
    this.live = true;
    this.#recordFrom = -1;
    this.#owner.placeChanged();
  }
}

/** The broker is stopping: what was not read is read after the next start. */
export function isClosed(error: unknown): boolean {
  return error instanceof JournalError && error.fault.code === 'JOURNAL_CLOSED';
}

/** Merges the subscriptions of one owner that match, as the router does for all. */
export function mergedDelivery(subscriptions: Iterable<Subscription>): Delivery | null {
  let delivery: Delivery | null = null;
  for (const subscription of subscriptions) {
    if (delivery === null) delivery = new Delivery(subscription);
    else delivery.include(subscription);
  }
  return delivery;
}
