import type { Clock, RandomSource, Timers } from '@robustmq/environment';

/** What time and chance come from. */
export interface ClientEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** Bounds of one client. */
export interface JournalClientLimits {
  /** LIMIT: appendsInFlightMax (of one producer on one shard); the next ones wait. */
  readonly appendsInFlightMax: number;
  /** LIMIT: appendBytesInFlightMax (of one producer on one shard); the next ones wait. */
  readonly appendBytesInFlightMax: number;
  /** LIMIT: appendBytesWaitingMax (of one producer on one shard): one more fails with JOURNAL_FULL. */
  readonly appendBytesWaitingMax: number;
  /** LIMIT: tailBytesMax (fetched ahead for one tail); the server waits. */
  readonly tailBytesMax: number;
  /** LIMIT: unsentBytesMax (for one server that does not take them): a request waits and tries again. */
  readonly unsentBytesMax: number;
  /** How long one server may be silent before another one is asked; doubles with each attempt. */
  readonly attemptMs: number;
  readonly attemptLongestMs: number;
  /** Pauses between attempts: double from the first to the longest, each shortened by chance. */
  readonly pauseFirstMs: number;
  readonly pauseLongestMs: number;
  /** For calls that have no deadline of their own: reads, trims, fences, opening. */
  readonly callDeadlineMs: number;
}

/** For every client that has no reason to differ: appends go on within 1.5 s of a leader's death. */
export const defaultJournalClientLimits: JournalClientLimits = {
  appendsInFlightMax: 100,
  appendBytesInFlightMax: 8 * 1024 * 1024,
  appendBytesWaitingMax: 64 * 1024 * 1024,
  tailBytesMax: 1024 * 1024,
  unsentBytesMax: 64 * 1024 * 1024,
  attemptMs: 1_000,
  attemptLongestMs: 8_000,
  pauseFirstMs: 20,
  pauseLongestMs: 200,
  callDeadlineMs: 30_000,
};
