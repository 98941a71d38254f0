/**
 * What one node's disk holds of the state machine: the content as of the snapshot, which is flushed,
 * and one batch of writes for each entry applied since, which is not.
 */
import type { RecordWrite } from '@robustmq/placement';
import type { LogIndex, SnapshotMetadata } from '@robustmq/raft';
import { PlacementState } from './placement-state.ts';
import type { SeededRandom } from './random.ts';

/** A batch holds the applied index, too: both are written as a whole. */
interface AppliedBatch {
  readonly index: LogIndex;
  readonly writes: readonly RecordWrite[];
  readonly shard: ShardWrite | null;
}

/** An entry of the shard, as it was applied. */
export interface ShardWrite {
  readonly entry: Uint8Array;
  readonly judgesAppends: boolean;
}

export class MachineDisk {
  #snapshot: SnapshotMetadata;
  #flushed = new PlacementState();
  #batches: AppliedBatch[] = [];
  #content: Uint8Array | null = null;

  constructor(snapshot: SnapshotMetadata) {
    this.#snapshot = snapshot;
  }

  get snapshot(): SnapshotMetadata {
    return this.#snapshot;
  }

  /** The writes of one applied entry, handed over without a flush. */
  applied(index: LogIndex, writes: readonly RecordWrite[], shard: ShardWrite | null): void {
    this.#batches.push({ index, writes, shard });
  }

  /** Everything up to the snapshot is flushed. */
  storeTaken(snapshot: SnapshotMetadata): void {
    if (snapshot.last.index <= this.#snapshot.last.index) return;
    const later = this.#batches.findIndex(({ index }) => index > snapshot.last.index);
    const covered = later < 0 ? this.#batches.length : later;
    for (const batch of this.#batches.splice(0, covered)) perform(this.#flushed, batch);
    this.#become(snapshot);
  }

  /** A snapshot of another node replaces everything. @returns whether it was news */
  storeReceived(snapshot: SnapshotMetadata, content: Uint8Array): void {
    if (snapshot.last.index <= this.#snapshot.last.index) return;
    this.#flushed = PlacementState.parse(content);
    this.#batches = [];
    this.#become(snapshot);
  }

  /** A random number of the last batches is lost. @returns how many */
  crash(random: SeededRandom): number {
    const kept = random.below(this.#batches.length + 1);
    return this.#batches.splice(kept).length;
  }

  recover(): { readonly index: LogIndex; readonly state: PlacementState } {
    const state = this.#flushed.clone();
    for (const batch of this.#batches) perform(state, batch);
    return { index: this.#batches.at(-1)?.index ?? this.#snapshot.last.index, state };
  }

  /** The snapshot as bytes, for other nodes. @param without  see {@link PlacementState.serialize} */
  content(without: string): Uint8Array {
    this.#content ??= this.#flushed.serialize(without);
    return this.#content;
  }

  #become(snapshot: SnapshotMetadata): void {
    this.#snapshot = snapshot;
    this.#content = null;
  }
}

function perform(state: PlacementState, { writes, shard }: AppliedBatch): void {
  state.write(writes);
  if (shard !== null) state.shard.apply(shard.entry, shard.judgesAppends);
}
