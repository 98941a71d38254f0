/**
 * A durable map of keys to values, kept as a log that compacts itself.
 *
 * Each write appends one frame: the entries, a few live entries on their way out of the oldest
 * segment, and the caller's commit. Memory holds where each live value stands, never the values.
 */
import { nextTurn, systemRandom } from '@robustmq/environment';
import type { DirectoryLock, FileSystem, RandomSource } from '@robustmq/environment';
import { AppendError, AppendFile } from './append-file.ts';
import { CheckpointCompaction } from './checkpoint-compaction.ts';
import {
  encodeCheckpointHeader,
  type EncodedFrame,
  encodeFrame,
  entriesOf,
} from './checkpoint-frame.ts';
import type { CheckpointEntry } from './checkpoint-frame.ts';
import type { CheckpointIndex } from './checkpoint-index.ts';
import { quarantineCopy, recoverCheckpoint } from './checkpoint-recovery.ts';
import type { CheckpointRecovery, RecoveredCheckpoint } from './checkpoint-recovery.ts';
import { checkpointPath, scanCheckpoint } from './checkpoint-segment.ts';
import type { CheckpointSegment } from './checkpoint-segment.ts';
import { openDataDirectory } from './data-directory.ts';

export interface CheckpointLogOptions {
  /** A segment that reached this size is followed by a new one. */
  readonly segmentBytesMax: number;
  /** Compaction works while the files exceed twice the live bytes by more than this. */
  readonly slackBytes: number;
  /** How much a write moves at most for compaction. */
  readonly compactionBytesPerWrite: number;
  readonly random: RandomSource;
}

const DEFAULT_OPTIONS: CheckpointLogOptions = {
  segmentBytesMax: 16 * 1024 * 1024,
  slackBytes: 32 * 1024 * 1024,
  compactionBytesPerWrite: 1024 * 1024,
  random: systemRandom,
};

const FORMAT = { name: 'robustmq-checkpoint', version: 1 };

export interface OpenedCheckpoint {
  readonly log: CheckpointLog;
  /** The latest value of each key, once; to be read before the first write. */
  readonly entries: AsyncIterable<{ readonly key: string; readonly value: Uint8Array }>;
  /** What came with the last write, or null before the first. */
  readonly lastCommit: Uint8Array | null;
}

export class CheckpointLog {
  readonly recovery: CheckpointRecovery;
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #options: CheckpointLogOptions;
  readonly #lock: DirectoryLock;
  readonly #index: CheckpointIndex;
  readonly #segments: CheckpointSegment[];
  #file: AppendFile;
  #salt: number;
  #compaction: CheckpointCompaction | null = null;
  #failure: AppendError | null = null;
  /** The last write in the queue. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(parts: CheckpointParts) {
    this.recovery = parts.found.recovery;
    this.#fileSystem = parts.fileSystem;
    this.#directory = parts.directory;
    this.#options = parts.options;
    this.#lock = parts.lock;
    this.#index = parts.found.index;
    this.#segments = parts.found.segments;
    this.#file = parts.file;
    this.#salt = parts.salt;
  }

  /**
   * Opens or creates the log in a directory of its own. A torn tail is cut back to the last write
   * that was whole; damage before it is reported in `recovery` and kept in `quarantine/`.
   *
   * @throws DataDirectoryError  in use, or of an unknown format
   */
  static async open(
    fileSystem: FileSystem,
    directory: string,
    options: Partial<CheckpointLogOptions> = {},
  ): Promise<OpenedCheckpoint> {
    const resolved = { ...DEFAULT_OPTIONS, ...options };
    const lock = await openDataDirectory(fileSystem, directory, FORMAT);
    try {
      const found = await recoverCheckpoint(fileSystem, directory);
      const tail = await openTail(fileSystem, directory, found, resolved.random);
      const log = new CheckpointLog({
        fileSystem,
        directory,
        options: resolved,
        lock,
        found,
        ...tail,
      });
      return { log, entries: liveEntries(fileSystem, found), lastCommit: found.lastCommit };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get keyCount(): number {
    return this.#index.keyCount;
  }

  /** Bytes of all segments. */
  get byteLength(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /**
   * Writes the entries in order, then the commit: after a crash all of it is seen or nothing.
   * Durable on return. Calls may overlap and take effect in their order.
   *
   * @throws AppendError full    nothing was written; try later
   * @throws AppendError broken  the outcome is unknown; open the log again
   */
  write(entries: readonly CheckpointEntry[], commit: Uint8Array): Promise<void> {
    const turn = this.#turn.then(() => this.#write(entries, commit));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Waits for writes in flight, then frees everything. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#file.close();
    await this.#lock.release();
  }

  async #write(entries: readonly CheckpointEntry[], commit: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await this.#rollIfNeeded();
    const compaction = await this.#currentCompaction();
    const mark = compaction?.mark();
    const moved = compaction?.take(this.#index, this.#options.compactionBytesPerWrite) ?? [];
    // The moved entries go first, so that an entry of the caller for the same key wins.
    const all = [...moved, ...this.#withoutIdleRemovals(entries)];
    const position = this.#file.length;
    const frame = await encodeFrame(all, commit, { salt: this.#salt, position, pause: nextTurn });
    try {
      await this.#file.append(frame.bytes, 'sync');
    } catch (error) {
      if (mark !== undefined) compaction?.rewind(mark);
      throw error;
    }
    await this.#noteWritten(all, frame, position);
    if (compaction?.isFinished !== true) return;
    try {
      await this.#removeOldest(compaction);
    } catch (error) {
      // Going on could bring removed keys back after a crash: what hides them would go before them.
      const detail = `removing ${compaction.segment.path}: ${String(error)}`;
      this.#failure = new AppendError({ kind: 'broken', detail }, { cause: error });
      throw this.#failure;
    }
  }

  /** Removals of keys that do not exist, not even earlier in the same write, say nothing. */
  #withoutIdleRemovals(entries: readonly CheckpointEntry[]): CheckpointEntry[] {
    const added = new Set<string>();
    return entries.filter(({ key, value }) => {
      if (value !== null) added.add(key);
      return value !== null || added.has(key) || this.#index.has(key);
    });
  }

  async #noteWritten(
    entries: readonly CheckpointEntry[],
    { bytes, starts }: EncodedFrame,
    position: number,
  ): Promise<void> {
    const segment = this.#segments.at(-1) as CheckpointSegment;
    segment.bytes += bytes.length;
    for (let i = 0; i < entries.length; i += 1) {
      if (i > 0 && i % NOTED_PER_TURN === 0) await nextTurn();
      const { key, value } = entries[i] as CheckpointEntry;
      const at = starts[i] as number;
      const length = (starts[i + 1] as number) - at;
      if (value === null) this.#index.delete(key);
      else this.#index.set(key, { segment: segment.number, position: position + at, length });
    }
  }

  async #rollIfNeeded(): Promise<void> {
    if (this.#file.length < this.#options.segmentBytesMax) return;
    const last = this.#segments.at(-1) as CheckpointSegment;
    const created = await createTail(
      this.#fileSystem,
      checkpointPath(this.#directory, last.number + 1),
      { number: last.number + 1, salt: this.#options.random.uint32() },
    );
    await this.#file.close();
    this.#file = created.file;
    this.#salt = created.salt;
    this.#segments.push(created.segment);
  }

  async #currentCompaction(): Promise<CheckpointCompaction | null> {
    if (this.#compaction !== null) return this.#compaction;
    const overheadMax = this.#index.liveBytes * 2 + this.#options.slackBytes;
    if (this.#segments.length < 2 || this.byteLength <= overheadMax) return null;
    const oldest = this.#segments[0] as CheckpointSegment;
    this.#compaction = await CheckpointCompaction.start(this.#fileSystem, oldest);
    return this.#compaction;
  }

  /** Everything live in it has been written again, and flushed. */
  async #removeOldest(compaction: CheckpointCompaction): Promise<void> {
    const { segment, scan } = compaction;
    const lost = this.#index.deleteSegment(segment.number);
    if (lost > 0) {
      const file = await quarantineCopy(this.#fileSystem, segment.path, scan.content);
      this.recovery.entriesLost += lost;
      this.recovery.quarantined.push({ file, reason: `${lost} entries fail their checksum` });
    }
    this.#compaction = null;
    this.#segments.shift();
    await this.#fileSystem.unlink(segment.path);
    // Before the next segment goes: its removals may hide values of this one.
    await this.#fileSystem.syncDirectory(this.#directory);
  }
}

/** Entries that are noted before others have their turn. */
const NOTED_PER_TURN = 8192;

interface CheckpointParts {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly options: CheckpointLogOptions;
  readonly lock: DirectoryLock;
  readonly found: RecoveredCheckpoint;
  readonly file: AppendFile;
  readonly salt: number;
}

/** The last segment, ready to be appended to; a new one if there is none or it is damaged. */
async function openTail(
  fileSystem: FileSystem,
  directory: string,
  found: RecoveredCheckpoint,
  random: RandomSource,
): Promise<{ file: AppendFile; salt: number }> {
  const last = found.segments.at(-1);
  if (last !== undefined && found.salt !== null) {
    const file = await AppendFile.open(fileSystem, last.path, last.bytes);
    return { file, salt: found.salt };
  }
  const number = (last?.number ?? -1) + 1;
  const salt = random.uint32();
  const created = await createTail(fileSystem, checkpointPath(directory, number), { number, salt });
  found.segments.push(created.segment);
  return created;
}

async function createTail(
  fileSystem: FileSystem,
  path: string,
  identity: { readonly number: number; readonly salt: number },
): Promise<{ file: AppendFile; salt: number; segment: CheckpointSegment }> {
  const { number, salt } = identity;
  const file = await AppendFile.create(fileSystem, path, encodeCheckpointHeader(number, salt));
  return { file, salt, segment: { number, path, bytes: file.length } };
}

async function* liveEntries(
  fileSystem: FileSystem,
  found: RecoveredCheckpoint,
): AsyncGenerator<{ key: string; value: Uint8Array }> {
  for (const { number, path } of [...found.segments]) {
    if (found.index.liveCountOf(number) === 0) continue;
    const { content, frames } = await scanCheckpoint(fileSystem, path, number);
    for (const frame of frames) {
      for (const { key, position, length, valueStart } of entriesOf(content, frame)) {
        if (valueStart < 0 || !found.index.isLive(key, number, position)) continue;
        yield { key, value: content.slice(valueStart, position + length) };
      }
    }
  }
}
