/**
 * The state machine of a message shard. Its content is the log itself, so applying an entry writes
 * nothing: it moves the state (`ShardState`), puts the records into the index of the segment in
 * which the log has them, and keeps the batch for readers at the end.
 *
 * ```text
 *     base ──▶ start of segment 7 ──▶ start of segment 8 ──▶ … ──▶ now
 *       │            │  index 7             │  growing index
 *     trimmed        └── replayed when an index or a later start is missing
 * ```
 *
 * A state is written down at the begin of each segment, so a restart replays the last one only. A
 * snapshot is the state at `base`: whoever gets it takes the records from the log behind it.
 */
import { assert } from '@robustmq/errors';
import {
  batchLengthAt,
  batchRecordCountAt,
  decodeShardCommand,
  type ShardCommand,
  type ShardOutcome,
  ShardState,
} from '@robustmq/journal';
import type { DataEntry, Entry, LogIndex } from '@robustmq/raft';
import {
  type GroupLog,
  type LogSegmentView,
  type MachineSnapshot,
  RaftError,
  type StateMachine,
} from '@robustmq/raft-driver';
import { BatchRun } from './batch-run.ts';
import { newReplicaSegment, type ReplicaSegment, type SegmentBegin } from './replica-segment.ts';
import { ReplicaSegments } from './replica-segments.ts';
import type { ReplicaStores } from './replica-stores.ts';
import type { ShardFiles } from './shard-files.ts';
import { TimedIndex } from './timed-index.ts';

/** After so many bytes it is noted how far the log is applied, so that a restart keeps less in memory. */
const HINT_EVERY_BYTES = 4 * 1024 * 1024;

export interface ShardMachineParts {
  readonly files: ShardFiles;
  readonly stores: ReplicaStores;
  /** After `end` or `oldest` moved. */
  readonly onMoved: () => void;
  readonly onDamage: (segment: ReplicaSegment) => void;
  /** The group is over; waited for. */
  readonly onClosing: () => Promise<void>;
}

export class ShardMachine implements StateMachine<ShardOutcome> {
  readonly segments: ReplicaSegments;
  readonly #parts: ShardMachineParts;
  #state: ShardState;
  /** What the state was before everything that the log holds. */
  #base: SegmentBegin;
  /** As found at the opening: the log is applied at least so far. */
  #appliedAtStart: number;
  #log: GroupLog | null = null;
  #bytesSinceHint = 0;
  readonly #run: BatchRun;
  /** The segment that is to be the first one after the next flush. */
  #trimTo: ReplicaSegment | null = null;

  private constructor(parts: ShardMachineParts, base: ShardState, appliedAtStart: number) {
    this.#parts = parts;
    this.#state = base;
    this.#base = beginOf(base);
    this.#appliedAtStart = appliedAtStart;
    this.#run = new BatchRun(parts.stores.batches);
    this.segments = new ReplicaSegments({
      stores: parts.stores,
      oldest: () => this.oldest,
      rebuild: (segment) => this.#rebuild(segment),
      onDamage: parts.onDamage,
    });
  }

  /** @throws RaftError RAFT_LOG_CORRUPT  the base can't be trusted */
  static async open(parts: ShardMachineParts): Promise<ShardMachine> {
    const { files } = parts;
    const found = await files.readBase();
    if (found === 'damaged') throw corrupt(`${files.directory}/base`, 'it holds no state');
    const base = found ?? new ShardState();
    let applied = Math.max(base.appliedIndex, await files.readHint());
    const newest = (await files.listStarts()).at(-1);
    const start = newest === undefined ? null : await files.readStart(newest);
    if (start !== null) applied = Math.max(applied, start.appliedIndex);
    return new ShardMachine(parts, base, applied);
  }

  get state(): ShardState {
    return this.#state;
  }

  get appliedIndex(): LogIndex {
    return Math.max(this.#state.appliedIndex, this.#appliedAtStart) as LogIndex;
  }

  /** Of the records that can be read here. */
  get oldest(): number {
    const first = this.segments.list[0]?.baseOffset ?? this.#state.next;
    return Math.max(first, this.#state.oldest);
  }

  /** Brings the state and the index of the last segment up to what is known to be applied. */
  async openLog(log: GroupLog): Promise<void> {
    this.#log = log;
    const target = this.appliedIndex;
    const views = log.segments().filter((view) => {
      const isEmpty = view.lastIndex <= Math.max(view.previousIndex, this.#base.appliedIndex);
      return !isEmpty && view.previousIndex < target;
    });
    let state = this.#state;
    for (const [at, view] of views.entries()) {
      const isLast = at === views.length - 1;
      state = await this.#openSegment(view, state, isLast ? target : view.lastIndex);
    }
    state.appliedIndex = target;
    this.#state = state;
    this.#appliedAtStart = 0;
    this.#parts.files.prune((number) => views.some((view) => view.number === number));
  }

  /** Null before the group is open. */
  get log(): GroupLog | null {
    return this.#log;
  }

  logDamaged(file: string): void {
    const segment = this.segments.list.find(({ path }) => path === file);
    if (segment !== undefined) this.#parts.onDamage(segment);
  }

  async apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly ShardOutcome[]> {
    const outcomes = entries.map((entry) => this.#applyOne(entry));
    this.#run.end();
    this.#state.appliedIndex = through;
    if (entries.length > 0) this.#parts.onMoved();
    if (this.#bytesSinceHint >= HINT_EVERY_BYTES) this.#writeHint();
    return outcomes;
  }

  /**
   * Makes `segment` the first one of the log: with the next `flush` the records before it go.
   *
   * @returns false when it is the first one already
   */
  prepareTrim(segment: ReplicaSegment): boolean {
    if (segment.previousIndex <= this.#base.appliedIndex) return false;
    this.#trimTo = segment;
    return true;
  }

  /** The log before the index returned is not needed to have the state again. */
  async flush(): Promise<LogIndex> {
    const segment = this.#trimTo;
    this.#trimTo = null;
    if (segment !== null) {
      await this.#parts.files.settled();
      const start = await this.#parts.files.readStart(segment.number);
      if (start !== null && start.appliedIndex === segment.previousIndex) {
        await this.#parts.files.writeBase(start.encode());
        this.#base = beginOf(start);
      }
    }
    return this.#base.appliedIndex as LogIndex;
  }

  /** After the log has forgotten what is before the base. */
  forgetTrimmed(): void {
    const { list } = this.segments;
    const count = list.findIndex(({ previousIndex }) => previousIndex >= this.#base.appliedIndex);
    if (count < 1) return;
    this.segments.forget(count);
    const first = (list[0] as ReplicaSegment).number;
    this.#parts.files.prune((number) => number >= first);
    this.#parts.onMoved();
  }

  async openSnapshot(): Promise<MachineSnapshot> {
    const found = await this.#parts.files.readBase();
    const base = found === null || found === 'damaged' ? new ShardState() : found;
    assert(base.appliedIndex === this.#base.appliedIndex, 'the base on disk is another one');
    return {
      index: base.appliedIndex as LogIndex,
      content: once(base.encode()),
      close: async () => undefined,
    };
  }

  async install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void> {
    const bytes = await gathered(content);
    const state = ShardState.decode(bytes);
    if (state === null || state.appliedIndex !== index) {
      throw corrupt(this.#parts.files.directory, `a snapshot at ${index} holds another state`);
    }
    await this.#parts.files.settled();
    await this.#parts.files.writeBase(bytes);
    this.segments.forget(this.segments.list.length);
    this.#state = state;
    this.#base = beginOf(state);
    this.#appliedAtStart = 0;
    this.#trimTo = null;
    this.#parts.onMoved();
  }

  async close(): Promise<void> {
    await this.#parts.onClosing();
    if (this.#log !== null) this.#writeHint();
    await this.#parts.files.settled();
    this.segments.forget(this.segments.list.length);
  }

  #applyOne(entry: DataEntry): ShardOutcome {
    const place = this.#log?.placeOf(entry.index) ?? null;
    assert(place !== null, `it is not known where entry ${entry.index} stands`);
    let segment = this.segments.list.at(-1);
    if (segment?.number !== place.segment) segment = this.#beginSegment(place.segment);
    const outcome = applyTo(this.#state, segment, { entry, position: place.position });
    this.#bytesSinceHint += entry.data.length;
    const { command } = outcome;
    if (command.kind === 'append' && outcome.result.kind === 'appended') {
      const bytes = entry.data.subarray(command.batchStart);
      const position = place.position + command.batchStart;
      this.#run.add(segment, position, bytes);
    }
    return outcome.result;
  }

  #beginSegment(number: number): ReplicaSegment {
    const views = this.#logOpened.segments();
    const view = views.find((each) => each.number === number);
    assert(view !== undefined, `segment ${number} is not in the log`);
    const last = this.segments.list.at(-1);
    if (last !== undefined) this.#seal(last, views);
    const segment = this.#newSegment(view, this.#beginOf(view));
    this.segments.list.push(segment);
    return segment;
  }

  /** The state before the first data of a segment is the one before all of it. */
  #beginOf({ number, previousIndex }: LogSegmentView): SegmentBegin {
    const state = this.#state;
    if (previousIndex < this.#base.appliedIndex) return this.#base;
    const reached = state.appliedIndex;
    state.appliedIndex = previousIndex;
    const begin = beginOf(state);
    if (previousIndex > this.#base.appliedIndex) {
      this.#parts.files.writeStart(number, state.encode());
    }
    state.appliedIndex = Math.max(reached, previousIndex);
    return begin;
  }

  #seal(segment: ReplicaSegment, views: readonly LogSegmentView[]): void {
    const { growing, baseOffset } = segment;
    if (growing === null) return;
    // What the file holds in all is what an index that is rebuilt is compared with.
    segment.bytes = views.find(({ number }) => number === segment.number)?.bytes ?? segment.bytes;
    const { index, bytes } = growing.pack({ baseOffset, fileBytes: segment.bytes });
    segment.growing = null;
    this.#parts.stores.indexes.keep(segment, index);
    this.#parts.files.writeIndex(segment.number, bytes);
  }

  #newSegment(view: LogSegmentView, begin: SegmentBegin): ReplicaSegment {
    const segment = newReplicaSegment(view, begin, this.#parts.files.indexPath(view.number));
    segment.growing = TimedIndex.growing(begin.next, begin.lastAppendedAtMs);
    return segment;
  }

  /**
   * At the opening: adds a segment to the list. Its entries are read when it is the last one, or
   * when nobody wrote down the state after it.
   *
   * @param before  the state before it, as far as it was read
   * @returns the state after it
   */
  async #openSegment(
    view: LogSegmentView,
    before: ShardState,
    target: number,
  ): Promise<ShardState> {
    const state = await this.#startOf(view, before);
    const segment = this.#newSegment(view, beginOf(state));
    const previous = this.segments.list.at(-1);
    if (previous !== undefined) previous.after = segment.baseOffset;
    this.segments.list.push(segment);
    const views = this.#logOpened.segments();
    const next = views.find(
      ({ previousIndex, lastIndex }) =>
        previousIndex === view.lastIndex && lastIndex > previousIndex,
    );
    if (target < view.lastIndex || next === undefined) {
      await this.#replay(segment, state, target);
      return state;
    }
    const after = await this.#parts.files.readStart(next.number);
    if (after?.appliedIndex === next.previousIndex) {
      segment.growing = null;
      segment.after = after.next;
      return after;
    }
    await this.#replay(segment, state, target);
    this.#parts.files.writeStart(next.number, state.encode());
    this.#seal(segment, views);
    return state;
  }

  async #startOf(view: LogSegmentView, before: ShardState): Promise<ShardState> {
    if (view.previousIndex <= this.#base.appliedIndex) {
      const base = await this.#parts.files.readBase();
      return base === null || base === 'damaged' ? new ShardState() : base;
    }
    const start = await this.#parts.files.readStart(view.number);
    if (start?.appliedIndex === view.previousIndex) return start;
    assert(before.appliedIndex === view.previousIndex, `the state before ${view.path} is unknown`);
    return before;
  }

  /** Applies what the segment holds, up to `target`, to the state and to the growing index. */
  async #replay(segment: ReplicaSegment, state: ShardState, target: number): Promise<void> {
    await this.#logOpened.scan(segment.number, (entry: Entry, position: number) => {
      if (entry.index <= state.appliedIndex || entry.index > target) return;
      if (entry.kind === 'data') applyTo(state, segment, { entry, position });
      state.appliedIndex = entry.index;
    });
    if (state.appliedIndex < target) {
      throw corrupt(segment.path, `it ends at entry ${state.appliedIndex}, not at ${target}`);
    }
  }

  /** The index of a sealed segment, from its entries; and its file anew. */
  async #rebuild(segment: ReplicaSegment): Promise<TimedIndex> {
    const view = this.#logOpened.segments().find(({ number }) => number === segment.number);
    assert(view !== undefined, `segment ${segment.number} is not in the log`);
    const state = await this.#startOf(view, new ShardState());
    const copy = this.#newSegment(view, beginOf(state));
    await this.#replay(copy, state, view.lastIndex);
    const { baseOffset, bytes: fileBytes } = segment;
    const packed = (copy.growing as TimedIndex).pack({ baseOffset, fileBytes });
    this.#parts.files.writeIndex(segment.number, packed.bytes);
    return packed.index;
  }

  #writeHint(): void {
    this.#bytesSinceHint = 0;
    this.#parts.files.writeHint(this.#state.appliedIndex);
  }

  get #logOpened(): GroupLog {
    assert(this.#log !== null, 'the log is not open yet');
    return this.#log;
  }
}

/** One entry's change of the state and of the segment that holds it. */
function applyTo(
  state: ShardState,
  segment: ReplicaSegment,
  { entry, position }: { readonly entry: DataEntry; readonly position: number },
): { readonly command: ShardCommand; readonly result: ShardOutcome } {
  const { data, index } = entry;
  const command = decodeShardCommand(data);
  assert(command !== null, `entry ${index} is of a kind that this version does not know`);
  const start = command.kind === 'append' ? command.batchStart : 0;
  const recordCount = command.kind === 'append' ? batchRecordCountAt(data, start) : 0;
  const result = state.apply(command, recordCount);
  if (result.kind !== 'appended') return { command, result };
  const at = position + start;
  segment.growing?.addBatch(data, start, {
    position: at,
    baseOffset: result.base,
    appendedAtMs: result.appendedAtMs,
  });
  segment.after = state.next;
  segment.bytes = Math.max(segment.bytes, at + batchLengthAt(data, start));
  return { command, result };
}

function beginOf({ appliedIndex, next, lastAppendedAtMs }: ShardState): SegmentBegin {
  return { appliedIndex, next, lastAppendedAtMs };
}

function corrupt(file: string, detail: string): RaftError {
  return new RaftError({ code: 'RAFT_LOG_CORRUPT', file, position: 0, detail });
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function gathered(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece);
    length += piece.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
