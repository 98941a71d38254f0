import type { Timers } from '@robustmq/environment';
import { assert } from '@robustmq/errors';
import {
  type AppendAcknowledgement,
  JournalError,
  type JournalRecord,
  type Offset,
  type ProducerName,
  type RecordBatch,
  RecordBatchBuilder,
  RecordBatchReader,
  type SharedShard,
} from '@robustmq/journal';
import { waitMs } from '../broker-environment.ts';

const APPEND_DEADLINE_MS = 10_000;
const RETRY_MS = 200;
const READ_RECORDS_MAX = 1024;
const READ_BYTES_MAX = 1024 * 1024;

/**
 * How many times one life of a broker may change its incarnation in a shard, see {@link ShardWriter}:
 * the number of a life is multiplied by it.
 */
const CHANGES_PER_LIFE = 1024;

/** As whom a broker with this producer name appends first. */
export function firstIncarnationOf({ id, incarnation }: ProducerName): ProducerName {
  return { id, incarnation: incarnation * CHANGES_PER_LIFE };
}

/** Fenced as this, the whole life of a broker is over. */
export function lastIncarnationOf({ id, incarnation }: ProducerName): ProducerName {
  return { id, incarnation: incarnation * CHANGES_PER_LIFE + CHANGES_PER_LIFE - 1 };
}

/** What the writer tells the log of a broker. */
export interface ShardWriterOwner {
  /** Somebody has declared this broker dead: it must stop. */
  fenced(error: JournalError): void;
  /** A fault of ours. */
  failed(error: unknown): void;
}

interface PendingBatch {
  readonly batch: RecordBatch;
  /** @param next  the offset after its last record; null: the shard is full, nothing was written */
  readonly done: (next: number | null, error: JournalError | null) => void;
}

/**
 * Appends the batches of one broker to one message shard, each exactly once and in order, whatever
 * happens to connections and leaders.
 *
 * An append whose outcome is unknown is not given up: the writer fences its own incarnation, so that
 * nothing more of it arrives, looks which of its batches are in the shard, appends the others as the next
 * incarnation, and goes on. Until then publishers wait for their acknowledgements.
 *
 * LIMIT: journalBacklogBytes, by its caller
 */
export class ShardWriter {
  /** Records of the open group. */
  readonly builder: RecordBatchBuilder = new RecordBatchBuilder();
  readonly #shard: SharedShard;
  readonly #timers: Timers;
  readonly #owner: ShardWriterOwner;
  readonly #acknowledgement: AppendAcknowledgement;
  readonly #pending: PendingBatch[] = [];
  #producer: ProducerName;
  /** Every record of ours below it was told; every other one is at or behind it. */
  #toldBelow: number;
  #state: 'open' | 'recovering' | 'fenced' | 'closed' = 'open';
  #unsettled = 0;
  #recover: (() => void) | null = null;

  /** @param committed  of the shard, before this incarnation appended anything */
  constructor(
    shard: SharedShard,
    committed: number,
    options: {
      readonly timers: Timers;
      readonly owner: ShardWriterOwner;
      readonly producer: ProducerName;
      readonly acknowledgement: AppendAcknowledgement;
    },
  ) {
    this.#shard = shard;
    this.#toldBelow = committed;
    this.#timers = options.timers;
    this.#owner = options.owner;
    this.#producer = options.producer;
    this.#acknowledgement = options.acknowledgement;
  }

  get shard(): SharedShard {
    return this.#shard;
  }

  /** True when nothing is under way. */
  get isIdle(): boolean {
    return this.#pending.length === 0;
  }

  /** The batch's bytes are the writer's until `done`. */
  append(batch: RecordBatch, done: PendingBatch['done']): void {
    const pending = { batch, done };
    this.#pending.push(pending);
    if (this.#state === 'open') this.#send(pending);
  }

  close(): void {
    this.#state = 'closed';
    this.#pending.length = 0;
  }

  #send(pending: PendingBatch): void {
    this.#unsettled += 1;
    this.#shard
      .append(pending.batch, {
        producer: this.#producer,
        acknowledgement: this.#acknowledgement,
        deadlineMs: APPEND_DEADLINE_MS,
      })
      .then(
        (first) => this.#appended(pending, first),
        (error: unknown) => this.#failed(pending, error),
      )
      .finally(() => {
        this.#unsettled -= 1;
        if (this.#unsettled === 0) this.#recover?.();
      });
  }

  #appended(pending: PendingBatch, first: number): void {
    if (this.#state === 'closed') return;
    // One before it may have an unknown outcome: this one is found with it.
    if (this.#pending[0] !== pending) return;
    this.#tell(pending, first + pending.batch.recordCount, null);
  }

  #failed(pending: PendingBatch, error: unknown): void {
    if (this.#state === 'closed') return;
    const code = error instanceof JournalError ? error.fault.code : null;
    if (code === 'JOURNAL_FULL' && this.#pending[0] === pending && this.#state === 'open') {
      this.#tell(pending, null, error as JournalError);
    } else if (code === 'JOURNAL_FENCED' && this.#state === 'open') {
      this.#state = 'fenced';
      this.#owner.fenced(error as JournalError);
    } else if (code === 'JOURNAL_CLOSED') {
      this.close();
    } else if (this.#state === 'open') {
      this.#beginRecovery();
    }
  }

  #beginRecovery(): void {
    this.#state = 'recovering';
    // Those behind it fail alike, and only then may the order of what is left be told anew.
    this.#recover = () => {
      this.#recover = null;
      this.#resolveAll().catch((fault: unknown) => {
        if (this.#state !== 'closed') this.#owner.failed(fault);
      });
    };
  }

  #tell(pending: PendingBatch, next: number | null, error: JournalError | null): void {
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    if (next !== null) this.#toldBelow = next;
    pending.done(next, error);
  }

  async #resolveAll(): Promise<void> {
    await this.#untilDone(() => this.#shard.fence(this.#producer));
    const open = [...this.#pending];
    const found = await this.#untilDone(() => this.#find(open));
    if (this.#state === 'closed') return;
    this.#producer = nextIncarnation(this.#producer);
    this.#state = 'open';
    for (const pending of open) {
      const next = found.get(pending);
      if (next !== undefined) this.#tell(pending, next, null);
    }
    for (const pending of this.#pending.slice()) this.#send(pending);
  }

  /** Which of these batches are in the shard, with the offset after each. */
  async #find(open: readonly PendingBatch[]): Promise<Map<PendingBatch, number>> {
    const found = new Map<PendingBatch, number>();
    const firsts = open.map((pending) => ({ pending, record: firstRecordOf(pending.batch) }));
    const end = await this.#shard.committed(APPEND_DEADLINE_MS);
    const from = Math.max(this.#toldBelow, this.#shard.oldest) as Offset;
    const reader = this.#shard.openReader(from, { kind: 'everything' });
    while (reader.position < end) {
      const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
      for (const record of records) {
        const at = firsts.findIndex((first) => isEqual(first.record, record));
        const [match] = at < 0 ? [] : firsts.splice(at, 1);
        if (match === undefined) continue;
        found.set(match.pending, record.offset + match.pending.batch.recordCount);
      }
    }
    return found;
  }

  async #untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#state === 'closed') throw error;
        if (error instanceof JournalError && error.fault.code === 'JOURNAL_CLOSED') {
          this.close();
          throw error;
        }
        await waitMs(this.#timers, RETRY_MS);
      }
    }
  }
}

function nextIncarnation({ id, incarnation }: ProducerName): ProducerName {
  assert((incarnation + 1) % CHANGES_PER_LIFE !== 0, `incarnation ${incarnation} is the last one`);
  return { id, incarnation: incarnation + 1 };
}

function firstRecordOf(batch: RecordBatch): JournalRecord {
  const reader = new RecordBatchReader();
  reader.open(batch.bytes, 0);
  reader.next();
  return reader.record();
}

/** Bodies tell their publisher, and at QoS 2 the packet: another's message is never taken for ours. */
function isEqual(ours: JournalRecord, stored: JournalRecord): boolean {
  if (ours.topic !== stored.topic || ours.kind !== stored.kind) return false;
  if (ours.body.length !== stored.body.length) return false;
  return Buffer.compare(ours.body, stored.body) === 0;
}
