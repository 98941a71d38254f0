import type { Delivery } from '@robustmq/broker';
import { JournalError, type JournalRecord, type Offset, type ShardTail } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import { dealOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import type { ClientSession } from '../session/client-session.ts';
import { GroupDealer } from './group-dealer.ts';
import type { MessageShards } from './message-shards.ts';
import { RecordInHand } from './record-in-hand.ts';
import type { ReplicatedGroups } from './replicated-groups.ts';
import { SessionCursor } from './session-cursor.ts';

const RECORDS_MAX = 512;
const BYTES_MAX = 1024 * 1024;
const RETRY_MS = 100;

/**
 * The tail of one message shard in this broker: each committed record is handed to the durable sessions
 * that are served here, in order. Who has no room reads later by itself.
 */
export class ShardFeed {
  readonly #context: BrokerContext;
  readonly #shards: MessageShards;
  readonly #groups: ReplicatedGroups;
  readonly #number: number;
  readonly #record: RecordInHand;
  #tail: ShardTail | null = null;
  #stopped = false;
  /** Every record below was handed to all sessions that were live here. */
  position: number;

  constructor(
    context: BrokerContext,
    shards: MessageShards,
    groups: ReplicatedGroups,
    place: { readonly number: number; readonly from: number },
  ) {
    const { number, from } = place;
    this.#context = context;
    this.#groups = groups;
    this.#shards = shards;
    this.#number = number;
    this.#record = new RecordInHand(context);
    this.position = from;
  }

  start(): void {
    this.#run().catch((error: unknown) => {
      if (!this.#stopped) this.#context.fatal('following a message shard failed', error);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#tail?.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#tail ??= this.#shards
        .at(this.#number)
        .openTail(this.position as Offset, { kind: 'everything' });
      try {
        const records = await this.#tail.next(RECORDS_MAX, BYTES_MAX);
        if (this.#stopped) return;
        for (const record of records) this.#serve(record);
        this.position = Math.max(this.position, this.#tail.position);
        this.#context.scheduleFlush();
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        await this.#goAround(error);
      }
    }
  }

  async #goAround({ fault }: JournalError): Promise<void> {
    this.#tail?.close();
    this.#tail = null;
    if (fault.code === 'JOURNAL_CLOSED') this.#stopped = true;
    else if (fault.code === 'JOURNAL_OFFSET_TRIMMED') {
      this.position = Math.max(this.position, fault.oldest);
    } else if (fault.code === 'JOURNAL_RECORD_CORRUPT') {
      this.#context.reportCorruption(fault);
      this.position = Math.max(this.position + 1, fault.after);
    } else await waitMs(this.#context.timers, RETRY_MS);
  }

  #serve(journalRecord: JournalRecord): void {
    if (journalRecord.offset < this.position) return;
    const record = this.#record;
    record.hold(this.#number, journalRecord);
    if (journalRecord.kind === RECORD_KIND.direct) this.#serveDirect(journalRecord.topic);
    else if (journalRecord.kind === RECORD_KIND.message) this.#serveAll();
    this.position = journalRecord.offset + 1;
  }

  #serveAll(): void {
    const { durable } = this.#context.router.match(this.#record.topic);
    for (let index = 0; index < durable.length; index += 1) {
      const delivery = durable[index] as Delivery;
      const { consumer } = delivery.subscriber as ClientSession;
      // Sessions that are served elsewhere have only their interest here.
      if (consumer instanceof SessionCursor) consumer.offer(this.#record, delivery);
      else if (delivery.subscriber instanceof GroupDealer) this.#wake(delivery.subscriber);
    }
  }

  #wake(dealer: GroupDealer): void {
    dealer.wake(this.#number, this.#record.offset);
  }

  #serveDirect(indexTopic: string): void {
    if (indexTopic.charCodeAt(1) === 0) {
      const dealer = this.#groups.dealerOf(indexTopic.slice(2));
      if (dealer !== null) this.#wake(dealer);
      return;
    }
    const session = this.#context.sessions.find(indexTopic.slice(1));
    const consumer = session?.consumer;
    if (!(consumer instanceof SessionCursor) || session === undefined) return;
    consumer.offer(this.#record, null);
    const deal = dealOf(this.#record.body);
    if (deal !== null) this.#groups.arrived(session, deal.group);
  }
}
