/**
 * A shard whose reads wait while its medium is away: servers that restart, a bucket that can't be reached.
 * A session that catches up gets its messages later; everybody else is served meanwhile.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { JournalError } from '@robustmq/journal';
import type {
  JournalReader,
  JournalRecord,
  JournalShard,
  Offset,
  RecordBatch,
  RecordSelector,
  RecoveryReport,
  SegmentSummary,
  ShardStats,
} from '@robustmq/journal';

const RETRY_MS = 1000;

/** What a wait is told about, and how it waits. */
export interface WaitingOptions {
  report(error: JournalError): void;
  pause(): Promise<void>;
}

export class WaitingShard implements JournalShard {
  readonly #shard: JournalShard;
  readonly #options: WaitingOptions;

  constructor(
    shard: JournalShard,
    report: WaitingOptions['report'],
    pause: WaitingOptions['pause'] = () => wait(RETRY_MS),
  ) {
    this.#shard = shard;
    this.#options = { report, pause };
  }

  get name(): string {
    return this.#shard.name;
  }

  get oldest(): Offset {
    return this.#shard.oldest;
  }

  get next(): Offset {
    return this.#shard.next;
  }

  get committed(): Offset {
    return this.#shard.committed;
  }

  get recovery(): RecoveryReport {
    return this.#shard.recovery;
  }

  get stats(): ShardStats {
    return this.#shard.stats;
  }

  append(batch: RecordBatch, ack: 'sync' | 'async'): Promise<Offset> {
    return this.#shard.append(batch, ack);
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    const reader = this.#shard.openReader(from, selector);
    const options = this.#options;
    return {
      get position() {
        return reader.position;
      },
      read: (recordsMax, bytesMax) =>
        whenAvailable(options, () => reader.read(recordsMax, bytesMax)),
    };
  }

  readAt(offset: Offset): Promise<JournalRecord | null> {
    return whenAvailable(this.#options, () => this.#shard.readAt(offset));
  }

  oldestSegment(): Promise<SegmentSummary | null> {
    return this.#shard.oldestSegment();
  }

  trimBefore(offset: Offset): Promise<void> {
    return this.#shard.trimBefore(offset);
  }
}

/** Ends when the journal is closed: then the attempt fails otherwise. */
async function whenAvailable<Value>(
  { report, pause }: WaitingOptions,
  attempt: () => Promise<Value>,
): Promise<Value> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof JournalError) || error.fault.code !== 'JOURNAL_UNAVAILABLE')
        throw error;
      report(error);
    }
    await pause();
  }
}
