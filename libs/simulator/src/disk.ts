/**
 * One node's disk: a log of checksummed records, and the state machine's store.
 *
 * Writes wait in `#pending` until a flush that started after them ends. A crash keeps a random
 * prefix of the waiting writes and may leave the next one torn. Damage is found by checksum: a
 * torn record at the end is cut off; anything else makes the disk unusable, never silently shorter.
 */
import type { Entry, EntryId, HardState, Persist, SnapshotMetadata } from '@robustmq/raft';
import { LOG_START, NO_HARD_STATE } from '@robustmq/raft';
import type { BugSwitches } from './bugs.ts';
import type { FaultTally } from './fault-tally.ts';
import { MachineDisk } from './machine-disk.ts';
import type { SeededRandom } from './random.ts';

type PendingWrite =
  | { readonly kind: 'persist'; readonly persist: Persist }
  | { readonly kind: 'compact'; readonly base: EntryId };

/** What a node finds when it starts. */
export interface Recovered {
  readonly hardState: HardState;
  readonly logBase: EntryId;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMetadata;
}

/** What a disk needs to know of its world. */
export interface DiskWorld {
  readonly random: SeededRandom;
  readonly bugs: BugSwitches;
  readonly tally: FaultTally;
}

export class Disk {
  hardState: HardState = NO_HARD_STATE;
  base: EntryId = LOG_START;
  entries: Entry[] = [];
  /** What is there of the state machine. */
  machine: MachineDisk;
  /** The operating system reports the next flush as failed. */
  failsNextFlush = false;
  full = false;
  /** A bit flipped in a record that is not the last one, or in the snapshot. */
  corrupt = false;
  #pending: PendingWrite[] = [];
  #hasHole = false;
  readonly #random: SeededRandom;
  readonly #bugs: BugSwitches;
  readonly #tally: FaultTally;

  constructor(world: DiskWorld, snapshot: SnapshotMetadata) {
    this.machine = new MachineDisk(snapshot);
    this.#random = world.random;
    this.#bugs = world.bugs;
    this.#tally = world.tally;
  }

  get snapshot(): SnapshotMetadata {
    return this.machine.snapshot;
  }

  get lastIndex(): number {
    return this.base.index + this.entries.length;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** @returns false when the disk is full: nothing was written */
  write(persist: Persist): boolean {
    if (this.full) return this.#bugs.ignoresFullDisk;
    this.#pending.push({ kind: 'persist', persist });
    return true;
  }

  /** Deletes what the snapshot covers, in order with the writes before it. */
  compact(base: EntryId): void {
    this.#pending.push({ kind: 'compact', base });
  }

  /** The first `count` waiting writes are durable. */
  flushed(count: number): void {
    for (const write of this.#pending.splice(0, count)) this.#store(write);
  }

  /** A failed flush: the operating system dropped the pages, whatever a second flush would say. */
  flushFailed(count: number): void {
    this.#pending.splice(0, count);
    this.#hasHole = true;
  }

  /** Power is gone: a random part of what was not flushed is lost, the next record may be torn. */
  crash(): void {
    // What follows a hole is not reachable: a reader stops at the first record that is not whole.
    if (this.#hasHole && !this.#bugs.retriesFailedFlush) this.#pending = [];
    this.#hasHole = false;
    const kept = this.#random.below(this.#pending.length + 1);
    const torn = this.#pending[kept];
    this.#tally.add('write lost', this.#pending.length - kept);
    this.flushed(kept);
    this.#pending = [];
    this.#tally.add('write lost', this.machine.crash(this.#random));
    const survives = torn?.kind === 'persist' && this.#random.chance(0.5);
    if (survives) this.#tally.add('write torn');
    // The checksum tells a torn record from a whole one; without it garbage would be believed.
    if (survives && this.#bugs.ignoresChecksum) this.#store(garbled(torn));
  }

  /** Everything is gone. */
  wipe(empty: SnapshotMetadata): void {
    this.hardState = NO_HARD_STATE;
    this.base = LOG_START;
    this.entries = [];
    this.machine = new MachineDisk(empty);
    this.corrupt = false;
    this.#pending = [];
  }

  /** The durable entries of `[from, …]`, at most `count`; null when a checksum does not match. */
  read(from: number, count: number): readonly Entry[] | null {
    if (this.corrupt && !this.#bugs.ignoresChecksum) return null;
    const start = from - this.base.index - 1;
    return start < 0 ? [] : this.entries.slice(start, start + count);
  }

  /** @returns null when the disk is corrupt: the node refuses to start */
  recover(): Recovered | null {
    if (this.corrupt && !this.#bugs.ignoresChecksum) return null;
    return {
      hardState: this.hardState,
      logBase: this.base,
      entries: this.entries,
      snapshot: this.snapshot,
    };
  }

  /** Flips a bit where a later record proves that it is no torn tail. @returns whether it could */
  flipBit(): boolean {
    if (this.entries.length < 2) return false;
    this.corrupt = true;
    const at = this.#random.below(this.entries.length - 1);
    const entry = this.entries[at];
    if (entry?.kind === 'data' && this.#bugs.ignoresChecksum) {
      this.entries = [...this.entries];
      this.entries[at] = { ...entry, data: flipped(entry.data) };
    }
    return true;
  }

  #store(write: PendingWrite): void {
    if (write.kind === 'compact') return this.#dropThrough(write.base);
    const { hardState, resetTo, entries } = write.persist;
    if (hardState !== null) this.hardState = this.#stored(hardState);
    if (resetTo !== null && !this.#bugs.ignoresLogReset) {
      this.base = resetTo;
      this.entries = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    const kept = this.entries.slice(0, first.index - this.base.index - 1);
    const stale = this.#bugs.keepsStaleTail
      ? this.entries.slice(first.index - this.base.index - 1 + entries.length)
      : [];
    this.entries = [...kept, ...entries, ...stale];
  }

  #stored(hardState: HardState): HardState {
    if (this.#bugs.forgetsVote) return { term: hardState.term, votedFor: null };
    if (this.#bugs.forgetsTerm) return this.hardState;
    return hardState;
  }

  #dropThrough(base: EntryId): void {
    if (base.index <= this.base.index) return;
    this.entries = this.entries.slice(base.index - this.base.index);
    this.base = base;
  }
}

function garbled(write: Extract<PendingWrite, { kind: 'persist' }>): PendingWrite {
  const entries = write.persist.entries.map(
    (entry, at, all): Entry =>
      entry.kind === 'data' && at === all.length - 1
        ? { ...entry, data: flipped(entry.data) }
        : entry,
  );
  return { kind: 'persist', persist: { ...write.persist, entries } };
}

function flipped(data: Uint8Array): Uint8Array {
  const copy = data.slice();
  copy[19] = (copy[19] ?? 0) ^ 0x40;
  return copy;
}
