/** Switches for the mistakes a driver could make. All off is the correct driver. */
export interface BugSwitches {
  /** Answers leave before the flush they depend on. */
  readonly answersBeforeFlush: boolean;
  /** The flush is reported as done as soon as it begins. */
  readonly reportsFlushEarly: boolean;
  readonly forgetsVote: boolean;
  readonly forgetsTerm: boolean;
  readonly ignoresChecksum: boolean;
  /** A failed flush is tried again, and believed. */
  readonly retriesFailedFlush: boolean;
  readonly ignoresFullDisk: boolean;
  /** Replaced log entries leave those behind them on disk. */
  readonly keepsStaleTail: boolean;
  /** The log on disk survives the snapshot that replaces it. */
  readonly ignoresLogReset: boolean;
  /** A snapshot counts, and the log is cut, before it is durable. */
  readonly compactsBeforeSnapshotIsDurable: boolean;
  /** A node that lost its disk returns under its old identity. */
  readonly wipedNodeReturns: boolean;
  /** A write loses the request id under which it is applied once. */
  readonly appliesRetries: boolean;
  /** What became of requests is not part of a snapshot. */
  readonly snapshotWithoutOutcomes: boolean;
  /** A read is answered before the read index is applied. */
  readonly readsBeforeApplied: boolean;
  /** A leader answers reads from its own state without asking anyone. */
  readonly readsLocally: boolean;
  /** An entry is answered when it is appended, not when it is committed. */
  readonly acknowledgesOnAppend: boolean;
  /** The state machine keeps its content when a received snapshot replaces it. */
  readonly keepsMachineOnInstall: boolean;
  /** A node that was paused goes on as if no time had passed. */
  readonly dropsMissedTicks: boolean;
  /** After a restart, replay begins one entry late. */
  readonly skipsEntryOnReplay: boolean;
  /** The history is not part of a snapshot. */
  readonly snapshotWithoutHistory: boolean;
  /** A leader lets a lease live whose end is in the log already. */
  readonly keepsEndingLeases: boolean;
  /** A new leader counts the time of leases from before it knew them. */
  readonly newLeaderGivesNoGrace: boolean;
  /** A grant that is told again makes the leader keep a lease that has ended. */
  readonly repeatedGrantRevives: boolean;
  /** A watch that moves to another node leaves one change out. */
  readonly watchesResumeLate: boolean;
  /** Who has appended what to a shard is not part of a snapshot. */
  readonly snapshotWithoutProducers: boolean;
  /** A shard writes whatever comes, repeated or fenced. */
  readonly appendsRepetitions: boolean;
}

export const NO_BUGS: BugSwitches = Object.freeze({
  answersBeforeFlush: false,
  reportsFlushEarly: false,
  forgetsVote: false,
  forgetsTerm: false,
  ignoresChecksum: false,
  retriesFailedFlush: false,
  ignoresFullDisk: false,
  keepsStaleTail: false,
  ignoresLogReset: false,
  compactsBeforeSnapshotIsDurable: false,
  wipedNodeReturns: false,
  appliesRetries: false,
  snapshotWithoutOutcomes: false,
  readsBeforeApplied: false,
  readsLocally: false,
  acknowledgesOnAppend: false,
  keepsMachineOnInstall: false,
  dropsMissedTicks: false,
  skipsEntryOnReplay: false,
  snapshotWithoutHistory: false,
  keepsEndingLeases: false,
  newLeaderGivesNoGrace: false,
  repeatedGrantRevives: false,
  watchesResumeLate: false,
  snapshotWithoutProducers: false,
  appendsRepetitions: false,
});
