/**
 * The leader's view of one follower.
 *
 *      probe ──accepted──▶ replicate        one message at a time, until the logs meet
 *        ▲  ◀──rejected──      │            then a pipeline of bounded messages and bytes
 *        │                     │
 *        └──── snapshot ◀──────┘            when what the follower lacks is compacted away
 *
 * Invariant: matchIndex < nextIndex.
 */
import { assert } from '@robustmq/errors';
import type { SnapshotMetadata } from './message.ts';
import { higherIndex, LOG_START, type LogIndex, offsetIndex } from './identifiers.ts';

/** Where the snapshot for one follower stands. */
export interface SnapshotTransfer {
  readonly snapshot: SnapshotMetadata;
  /** All bytes before this one arrived there. */
  offset: number;
  ticksSinceSent: number;
}

interface Inflight {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
}

export class Progress {
  /** The follower's log is known to match up to here, durably (Raft Figure 2, matchIndex[]). */
  matchIndex: LogIndex = LOG_START.index;
  /** The next entry to send (Raft Figure 2, nextIndex[]). */
  nextIndex: LogIndex;
  mode: 'probe' | 'replicate' | 'snapshot' = 'probe';
  transfer: SnapshotTransfer | null = null;
  /** A probe is under way, or entries are being read from disk: nothing more may be sent. */
  paused = false;
  readingLog = false;
  /** Heard since the last check of the quorum (Raft thesis §6.2). */
  active = true;
  /** The last heartbeat round it answered. */
  ackedRound = 0;
  /** The highest commit index it was told of. */
  toldCommitIndex: LogIndex = LOG_START.index;
  /** The match index when it last answered a heartbeat: an unchanged one means something was lost. */
  matchAtHeartbeat: LogIndex = LOG_START.index;
  #inflights: Inflight[] = [];
  #inflightBytes = 0;

  constructor(nextIndex: LogIndex) {
    this.nextIndex = nextIndex;
  }

  get inflightCount(): number {
    return this.#inflights.length;
  }

  hasRoom(messagesMax: number, bytesMax: number): boolean {
    return this.#inflights.length < messagesMax && this.#inflightBytes < bytesMax;
  }

  /** Entries up to `lastIndex` are on their way; the next message goes on from there. */
  sent(lastIndex: LogIndex, bytes: number): void {
    this.#inflights.push({ lastIndex, bytes });
    this.#inflightBytes += bytes;
    this.nextIndex = offsetIndex(lastIndex, 1);
  }

  /** The follower has everything up to `index`. @returns whether that is news */
  accepted(index: LogIndex): boolean {
    const isNews = index > this.matchIndex;
    this.matchIndex = higherIndex(this.matchIndex, index);
    this.nextIndex = higherIndex(this.nextIndex, offsetIndex(this.matchIndex, 1));
    while ((this.#inflights[0]?.lastIndex ?? Number.POSITIVE_INFINITY) <= index) {
      this.#inflightBytes -= this.#inflights.shift()?.bytes ?? 0;
    }
    return isNews;
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.mode = 'probe';
    this.nextIndex = higherIndex(nextIndex, offsetIndex(this.matchIndex, 1));
    this.#clear();
  }

  becomeReplicate(): void {
    this.mode = 'replicate';
    this.nextIndex = offsetIndex(this.matchIndex, 1);
    this.#clear();
  }

  becomeSnapshot(snapshot: SnapshotMetadata): void {
    assert(snapshot.last.index > this.matchIndex, 'the follower already has this snapshot');
    this.mode = 'snapshot';
    this.#clear();
    this.transfer = { snapshot, offset: 0, ticksSinceSent: 0 };
  }

  #clear(): void {
    this.paused = false;
    this.readingLog = false;
    this.transfer = null;
    this.#inflights = [];
    this.#inflightBytes = 0;
  }
}
