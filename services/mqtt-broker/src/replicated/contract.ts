import type { JournalError, ProducerName, SharedJournal } from '@robustmq/journal';
import type { DurableSessions } from '../cluster/contract.ts';

/** What the replicated path of a broker is opened with. */
export interface ReplicatedParts {
  readonly journal: SharedJournal;
  /** The broker's node id and the number of this life of it, below 2^40; never used before. */
  readonly producer: ProducerName;
  /** How many there are of each: `mqtt-<i>`, `sessions-<i>`, `retained-<i>`, from 0 on. */
  readonly counts: {
    readonly messages: number;
    readonly sessions: number;
    readonly retained: number;
  };
  /**
   * Somebody has declared this life of the broker dead: this path appends nothing more. Without it, the
   * process ends.
   */
  readonly fenced?: (error: JournalError) => void;
}

/** The durable path of one broker of a cluster. */
export interface ReplicatedPath {
  readonly sessions: DurableSessions;
  /**
   * Settles when the retained messages of this broker include everything that was acknowledged before the
   * call, wherever: before a SUBSCRIBE is answered from them.
   *
   * @throws JournalError JOURNAL_UNAVAILABLE  not within `deadlineMs`
   */
  retainedCaughtUp(deadlineMs: number): Promise<void>;
  /**
   * Forgets what no session needs any more, and what is older than `reader_lag_seconds_max`. For one broker
   * of the cluster now and then, such as once in ten seconds; see {@link ShardTrimmer}.
   */
  trimOnce(deadlineMs: number): Promise<unknown>;
  /** Once a second. */
  tick(): void;
  /** Ends everything at once. For an orderly end, settle `context.log` and the sessions before. */
  stop(): void;
}
