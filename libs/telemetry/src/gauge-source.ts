/**
 * What the broker knows at any moment without counting: read at scrape time, by calls.
 *
 * Each function is called once per scrape and `$SYS` round, must return at once and must not throw.
 * The last block holds totals that other packages count themselves (they only grow).
 */
export interface GaugeSource {
  /** Network connections with a completed CONNECT. */
  readonly connections: () => number;
  /** Sessions, connected or not (MQTT-5.0 §4.1). */
  readonly sessions: () => number;
  /** Sessions with at least one subscription. */
  readonly subscribers: () => number;
  /** Subscriptions of all sessions, shared ones included. */
  readonly subscriptions: () => number;
  /** Subscriptions with a share name (MQTT-5.0 §4.8.2). */
  readonly sharedSubscriptions: () => number;
  /** Distinct topic names that the broker holds state for. */
  readonly topics: () => number;
  /** Distinct topic filters in the routing index. */
  readonly routes: () => number;
  readonly retainedMessages: () => number;
  readonly retainedBytes: () => number;
  /** Messages and bytes waiting in memory for connected clients. */
  readonly queuedMessages: () => number;
  readonly queuedBytes: () => number;
  /** QoS 1 and 2 messages sent and not yet acknowledged by clients. */
  readonly inflightMessages: () => number;
  /** Publishers whose reading is paused now. */
  readonly publishersPaused: () => number;
  readonly memoryBudgetUsedBytes: () => number;
  readonly memoryBudgetMaxBytes: () => number;
  readonly journalBytes: () => number;
  readonly journalSegments: () => number;
  /** Offsets of the shard; see the journal's contract. */
  readonly journalOldestOffset: () => number;
  readonly journalCommittedOffset: () => number;
  readonly journalNextOffset: () => number;
  /** 1 while appends are accepted, else 0. */
  readonly journalWritable: () => number;

  readonly journalAppendedRecords: () => number;
  readonly journalFlushes: () => number;
  readonly listenerAccepted: () => number;
  readonly listenerRefusedAtLimit: () => number;
  readonly listenerHandshakeFailures: () => number;
}

/** The name of a gauge; what a catalogue entry reads. */
export type GaugeField = keyof GaugeSource;

const zero = (): number => 0;

/**
 * A source that answers 0 to everything: for tests, and to start from
 * (`{ ...zeroGaugeSource, connections: () => … }`).
 */
export const zeroGaugeSource: GaugeSource = {
  connections: zero,
  sessions: zero,
  subscribers: zero,
  subscriptions: zero,
  sharedSubscriptions: zero,
  topics: zero,
  routes: zero,
  retainedMessages: zero,
  retainedBytes: zero,
  queuedMessages: zero,
  queuedBytes: zero,
  inflightMessages: zero,
  publishersPaused: zero,
  memoryBudgetUsedBytes: zero,
  memoryBudgetMaxBytes: zero,
  journalBytes: zero,
  journalSegments: zero,
  journalOldestOffset: zero,
  journalCommittedOffset: zero,
  journalNextOffset: zero,
  journalWritable: zero,
  journalAppendedRecords: zero,
  journalFlushes: zero,
  listenerAccepted: zero,
  listenerRefusedAtLimit: zero,
  listenerHandshakeFailures: zero,
};
