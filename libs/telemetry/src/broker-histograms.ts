import { BucketHistogram } from './bucket-histogram.ts';

/** The distributions that the broker observes; see each field for the unit of `observe`. */
export interface BrokerHistograms {
  /** From the call to the end of one journal flush, in nanoseconds. */
  readonly journalFlushNs: BucketHistogram;
  /** Records that became durable by one flush (group commit). */
  readonly journalCommitRecords: BucketHistogram;
  /** Handling of one received packet, in nanoseconds; observe a sample, such as one in 256. */
  readonly packetProcessNs: BucketHistogram;
}

/** The name of a histogram; what a catalogue entry reads. */
export type HistogramField = keyof BrokerHistograms;

const MICROSECOND_NS = 1_000;
const MILLISECOND_NS = 1_000_000;

/** 50 µs to 5 s: from a flush that the device answers from its cache to a disk in trouble. */
const flushBoundsNs: readonly number[] = [
  50 * MICROSECOND_NS,
  100 * MICROSECOND_NS,
  250 * MICROSECOND_NS,
  500 * MICROSECOND_NS,
  1 * MILLISECOND_NS,
  2.5 * MILLISECOND_NS,
  5 * MILLISECOND_NS,
  10 * MILLISECOND_NS,
  25 * MILLISECOND_NS,
  50 * MILLISECOND_NS,
  100 * MILLISECOND_NS,
  250 * MILLISECOND_NS,
  1_000 * MILLISECOND_NS,
  5_000 * MILLISECOND_NS,
];

const commitBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384];

/** 1 µs to 100 ms: a packet that takes longer than a few milliseconds holds everybody up. */
const packetBoundsNs: readonly number[] = [
  1 * MICROSECOND_NS,
  2.5 * MICROSECOND_NS,
  5 * MICROSECOND_NS,
  10 * MICROSECOND_NS,
  25 * MICROSECOND_NS,
  50 * MICROSECOND_NS,
  100 * MICROSECOND_NS,
  250 * MICROSECOND_NS,
  1 * MILLISECOND_NS,
  10 * MILLISECOND_NS,
  100 * MILLISECOND_NS,
];

/** Empty histograms with the documented bounds. */
export function createBrokerHistograms(): BrokerHistograms {
  return {
    journalFlushNs: new BucketHistogram(flushBoundsNs),
    journalCommitRecords: new BucketHistogram(commitBounds),
    packetProcessNs: new BucketHistogram(packetBoundsNs),
  };
}
