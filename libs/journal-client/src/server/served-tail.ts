/**
 * One tail of a message shard, as a server feeds it: records as they are committed, while there is
 * credit. Served by the leader only, which has them first; when another node leads, the tail ends and
 * its client goes there.
 *
 *     replica moved ──▶ read a page ──▶ send it, take it off the credit ──▶ read on
 *                          │ nothing wanted
 *                          └──▶ after a pause tell how far it is
 */
import type { TimerHandle, Timers } from '@robustmq/environment';
import type { JournalReader, Offset, RecordSelector } from '@robustmq/journal';
import { type JournalOutcome, type JournalReplyFault, recordCredit } from '@robustmq/rpc';
import type { MessageReplica } from './replica-ports.ts';

/** One page; at least one record. */
const PAGE_RECORDS = 1_000;
const PAGE_BYTES = 256 * 1024;
/** A position that moved past unwanted records is told as seldom, so that it costs little. */
const PROGRESS_MS = 20;

/** What a tail needs of its stream. */
export interface TailPort {
  readonly timers: Timers;
  send(outcome: JournalOutcome): void;
  /** The tail has ended by itself, with this fault. */
  failed(fault: JournalReplyFault): void;
  /** For what the replica throws. */
  faultOf(error: unknown): JournalReplyFault;
}

/** Feeds one tail until it is closed. */
export class ServedTail {
  readonly #replica: MessageReplica;
  readonly #port: TailPort;
  readonly #reader: JournalReader;
  readonly #moves: { stop(): void };
  #creditBytes: number;
  #toldPosition: Offset;
  #isReading = false;
  /** The replica moved while a page was read. */
  #isDue = false;
  #isClosed = false;
  #progress: TimerHandle | null = null;

  constructor(
    replica: MessageReplica,
    start: {
      readonly from: Offset;
      readonly selector: RecordSelector;
      readonly creditBytes: number;
    },
    port: TailPort,
  ) {
    this.#replica = replica;
    this.#port = port;
    this.#creditBytes = start.creditBytes;
    this.#toldPosition = start.from;
    this.#reader = replica.openReader(start.from, start.selector);
    this.#moves = replica.onMoved(() => this.#pump());
  }

  begin(): void {
    this.#pump();
  }

  addCredit(bytes: number): void {
    this.#creditBytes += bytes;
    this.#pump();
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#moves.stop();
    this.#progress?.cancel();
  }

  #pump(): void {
    if (this.#isReading) this.#isDue = true;
    else if (!this.#isClosed && this.#creditBytes > 0) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      do {
        this.#isDue = false;
        await this.#readPage();
      } while (this.#isDue && !this.#isClosed && this.#creditBytes > 0);
    } catch (error) {
      if (!this.#isClosed) this.#port.failed(this.#port.faultOf(error));
    } finally {
      this.#isReading = false;
    }
  }

  async #readPage(): Promise<void> {
    const bytesMax = Math.min(PAGE_BYTES, this.#creditBytes);
    const records = await this.#reader.read(PAGE_RECORDS, bytesMax);
    if (this.#isClosed) return;
    if (records.length === 0) {
      this.#tellProgressLater();
      return;
    }
    for (const record of records) this.#creditBytes -= recordCredit(record);
    this.#isDue = true;
    this.#tell(records);
  }

  #tellProgressLater(): void {
    if (this.#reader.position === this.#toldPosition || this.#progress !== null) return;
    this.#progress = this.#port.timers.after(PROGRESS_MS, () => {
      this.#progress = null;
      if (!this.#isClosed && this.#reader.position !== this.#toldPosition) this.#tell([]);
    });
  }

  #tell(records: Awaited<ReturnType<JournalReader['read']>>): void {
    this.#toldPosition = this.#reader.position;
    const { oldest } = this.#replica;
    this.#port.send({ kind: 'records', records, position: this.#toldPosition, oldest });
  }
}
