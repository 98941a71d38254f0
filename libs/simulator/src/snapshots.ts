/** Snapshots on one node: taken of its own state, or received from the leader in pieces. */
import {
  type LogIndex,
  type RaftOutput,
  type RaftState,
  type SnapshotMetadata,
  snapshotMetadataAt,
} from '@robustmq/raft';
import type { BugSwitches } from './bugs.ts';
import type { SimulatedNode } from './node.ts';
import { PlacementState, SHARD_PRODUCERS } from './placement-state.ts';
import type { World } from './world.ts';

/** A snapshot on its way to the disk: of the own state (`content` null) or of another node. */
interface PendingSnapshot {
  readonly metadata: SnapshotMetadata;
  readonly content: Uint8Array | null;
}

export class NodeSnapshots {
  readonly #world: World;
  readonly #node: SimulatedNode;
  #pending: PendingSnapshot | null = null;
  #pieces: Uint8Array[] = [];

  constructor(world: World, node: SimulatedNode) {
    this.#world = world;
    this.#node = node;
  }

  /** What is under way has reached the disk, or has not. */
  crash(): void {
    if (this.#pending !== null && this.#world.random.chance(0.5)) this.#store(this.#pending);
    this.#pending = null;
    this.#pieces = [];
  }

  takeWhenDue(state: RaftState): void {
    const { appliedIndex } = this.#node;
    const since = appliedIndex - state.snapshot.last.index;
    if (since < this.#world.profile.snapshotEvery || this.#pending !== null) return;
    if (state.incoming?.phase === 'installing') return;
    const metadata = snapshotMetadataAt(state, appliedIndex);
    if (this.#world.bugs.compactsBeforeSnapshotIsDurable) this.#durable(metadata);
    this.#world.tally.add('snapshot taken');
    this.#storeLater({ metadata, content: null }, () => this.#durable(metadata));
  }

  receive(write: NonNullable<RaftOutput['snapshotWrite']>): void {
    if (write.offset === 0) this.#pieces = [];
    this.#pieces.push(write.data);
    if (!write.done) return;
    const metadata = write.snapshot;
    const content = joined(this.#pieces);
    this.#pieces = [];
    this.#storeLater({ metadata, content }, () => this.#install(metadata, content));
  }

  /** The bytes of the snapshot on disk. */
  content(): Uint8Array {
    return this.#node.disk.machine.content(leftOut(this.#world.bugs));
  }

  /** Written aside, flushed, renamed, its directory flushed: all there or not there. */
  #storeLater(pending: PendingSnapshot, then: () => void): void {
    this.#pending = pending;
    this.#node.inBackground(this.#node.drawFlushMs() * 3, () => {
      this.#node.whenAwake(() => {
        if (this.#pending !== pending) return; // Another one overtook it.
        this.#pending = null;
        this.#store(pending);
        then();
      });
    });
  }

  #store({ metadata, content }: PendingSnapshot): void {
    if (content === null) this.#node.disk.machine.storeTaken(metadata);
    else this.#node.disk.machine.storeReceived(metadata, content);
  }

  #durable(metadata: SnapshotMetadata): void {
    this.#node.feed({ kind: 'snapshotTaken', snapshot: metadata });
    this.#compactTo(metadata.last.index - this.#world.profile.compactionSlack);
  }

  #install(metadata: SnapshotMetadata, content: Uint8Array): void {
    const { checkers, bugs, tally, watchers } = this.#world;
    const node = this.#node;
    tally.add('snapshot installed');
    if (!bugs.keepsMachineOnInstall) node.machine = PlacementState.parse(content);
    node.appliedIndex = metadata.last.index;
    checkers.installed(node.id, metadata.last.index, node.machine.digest);
    node.feed({ kind: 'snapshotInstalled', snapshot: metadata });
    this.#compactTo(metadata.last.index);
    for (const watcher of watchers) watcher.installed(node);
    node.requests.applied();
  }

  #compactTo(index: number): void {
    const { state } = this.#node;
    if (state === null || index <= state.log.base.index) return;
    const term = state.log.termAt(index as LogIndex);
    if (term === null) return;
    this.#world.tally.add('log compacted');
    this.#node.disk.compact({ term, index: index as LogIndex });
    this.#node.feed({ kind: 'compact', through: index as LogIndex });
    this.#node.flush();
  }
}

/** The first letters of records that a planted bug leaves out of snapshots. */
function leftOut(bugs: BugSwitches): string {
  return (
    (bugs.snapshotWithoutOutcomes ? 'qo' : '') +
    (bugs.snapshotWithoutHistory ? 'h' : '') +
    (bugs.snapshotWithoutProducers ? SHARD_PRODUCERS : '')
  );
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
