/** What the streams of all clients share. */
import type { Timers } from '@robustmq/environment';
import type { ReplicaDirectory } from './replica-ports.ts';

/** What a stream is served with. */
export interface ExchangeHost {
  readonly directory: ReplicaDirectory;
  readonly timers: Timers;
  readonly counters: ExchangeCounters;
  /** Told of what is no fault of the contract; the client sees an unknown outcome without its words. */
  reportMistake(error: unknown): void;
}

/** Since the process started; plain numbers, read by telemetry. */
export interface ExchangeCounters {
  /** Open now. */
  streams: number;
  tails: number;
  appends: number;
  appendBytes: number;
  /** Answered with a fault of any kind. */
  appendsRefused: number;
  /** Everything but appends. */
  calls: number;
  recordsSent: number;
  changesSent: number;
}

export function newExchangeCounters(): ExchangeCounters {
  return {
    streams: 0,
    tails: 0,
    appends: 0,
    appendBytes: 0,
    appendsRefused: 0,
    calls: 0,
    recordsSent: 0,
    changesSent: 0,
  };
}
