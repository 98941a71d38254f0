/**
 * Snapshots of one group: the log forgets what the state machine has made durable, and followers
 * that need what was forgotten get the machine's content as a file.
 *
 *      compact   flush the machine ─▶ metadata durable ─▶ snapshotTaken ─▶ compact
 *      create    machine's content ─▶ file ─▶ flush, metadata ─▶ snapshotTaken
 *      serve     snapshotRead from the file; without one: create, then snapshotGone or the piece
 *      receive   pieces ─▶ file ─▶ machine.install ─▶ metadata ─▶ snapshotInstalled
 *
 * One of these at a time. A file under its own name counts as a snapshot: a crash before the
 * machine holds its content is made good at the next start (open-group.ts).
 */
import {
  type Entry,
  entryBytes,
  type LogIndex,
  type RaftOutput,
  type SnapshotMetadata,
  snapshotMetadataAt,
  type SnapshotRead,
  type SnapshotWrite,
} from '@robustmq/raft';
import { AssertionError } from '@robustmq/errors';
import type { ApplyLoop } from './apply-loop.ts';
import type { GroupCore } from './group-core.ts';
import type { RaftError } from './raft-error.ts';
import type { CompactionOptions } from './raft-host.ts';
import { ioFault } from './raft-log-store.ts';
import {
  SnapshotDamaged,
  type SnapshotPlace,
  type SnapshotReader,
  SnapshotWriter,
} from './snapshot-file.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { writeSnapshotMetadata } from './snapshot-metadata.ts';
import type { StateMachine } from './state-machine.ts';
import type { TickSource } from './tick-source.ts';

/** LIMIT: pieces of a snapshot that wait for the disk; further ones are dropped and sent again. */
const QUEUED_PIECES_MAX = 16;

export interface SnapshotParts<Result> {
  readonly place: SnapshotPlace;
  readonly files: SnapshotFiles;
  /** Null: only `forget` compacts. */
  readonly compaction: CompactionOptions | null;
  readonly machine: StateMachine<Result>;
  readonly core: GroupCore;
  readonly apply: ApplyLoop<Result>;
  readonly ticks: TickSource;
  /** The machine's content is that of a snapshot now. */
  readonly onInstalled: (index: LogIndex) => void;
  readonly onFailed: (error: RaftError) => void;
}

export class GroupSnapshots<Result> {
  readonly #parts: SnapshotParts<Result>;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isCompacting = false;
  #isPruning = false;
  #entriesSince: number;
  #bytesSince: number;
  #queuedPieces = 0;
  #incoming: SnapshotWriter | null = null;
  /** Files that could not be written for followers, or read. */
  failures = 0;

  constructor(parts: SnapshotParts<Result>) {
    this.#parts = parts;
    const { last } = parts.core.state.snapshot;
    this.#entriesSince = parts.apply.appliedIndex - last.index;
    this.#bytesSince = parts.core.log.bytesAfter(last.index);
  }

  /** Whether a further piece would have to wait too long. */
  get isFlooded(): boolean {
    return this.#queuedPieces >= QUEUED_PIECES_MAX;
  }

  carryOut({ snapshotReads, snapshotWrite }: RaftOutput): void {
    for (const read of snapshotReads) void this.#run(() => this.#serve(read));
    if (snapshotWrite === null) return;
    this.#queuedPieces += 1;
    void this.#run(() => this.#receive(snapshotWrite));
  }

  /** Counts, and compacts when it is time. */
  applied(entries: readonly Entry[]): void {
    this.#entriesSince += entries.length;
    for (const entry of entries) this.#bytesSince += entryBytes(entry);
    if (this.#parts.compaction === null) return;
    const { logEntriesMax, logBytesMax, slackEntries } = this.#parts.compaction;
    const isDue = this.#entriesSince >= logEntriesMax || this.#bytesSince >= logBytesMax;
    if (!isDue || this.#isCompacting) return;
    this.#isCompacting = true;
    void this.#run(async () => {
      await this.#compact(slackEntries);
      this.#isCompacting = false;
    });
  }

  tick(): void {
    if (this.#isPruning || !this.#parts.files.hasStale(this.#parts.ticks.now)) return;
    this.#isPruning = true;
    void this.#run(async () => {
      await this.#parts.files.prune(this.#parts.ticks.now);
      this.#isPruning = false;
    });
  }

  /** Writes a file of the content as it is and forgets the log before it. */
  take(): Promise<LogIndex> {
    return new Promise((resolve, reject) => {
      void this.#run(async () => {
        try {
          const index = await this.#create();
          await this.#forget(index);
          resolve(index);
        } catch (error) {
          reject(ioFault(error));
        }
      }).then(() => reject(ioFault(new Error('the group is closed'))));
    });
  }

  /** Flushes the machine, and forgets the log up to what it names. @returns the log's new base */
  forget(): Promise<LogIndex> {
    return new Promise((resolve, reject) => {
      void this.#run(async () => {
        await this.#compact(0);
        resolve(this.#parts.core.state.log.base.index);
      }).then(() => reject(ioFault(new Error('the group is closed'))));
    });
  }

  /** Settles when what is under way is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    const incoming = this.#incoming;
    this.#incoming = null;
    await incoming?.abort();
    await this.#parts.files.close();
  }

  #run(job: () => Promise<void>): Promise<void> {
    const work = this.#work.then(async () => {
      if (this.#isStopped) return;
      await job();
    });
    this.#work = work.catch((error: unknown) => {
      if (!this.#isStopped) this.#parts.onFailed(ioFault(error));
    });
    return this.#work;
  }

  async #compact(slackEntries: number): Promise<void> {
    const { apply, machine, core } = this.#parts;
    if (core.state.incoming?.phase === 'installing') return;
    const index = await apply.exclusive(() => machine.flush());
    if (this.#isStopped) return;
    if (index > core.state.snapshot.last.index) {
      await this.#taken(snapshotMetadataAt(core.state, index));
    }
    await this.#forget(index - slackEntries);
  }

  /** The machine is durable up to here: so is what is known of the log before. */
  async #taken(metadata: SnapshotMetadata): Promise<void> {
    const { core, place } = this.#parts;
    await writeSnapshotMetadata(place, place.groupId, metadata);
    this.#entriesSince = Math.max(0, core.state.deliveredIndex - metadata.last.index);
    this.#bytesSince = 0;
    if (!this.#isStopped) core.feed({ kind: 'snapshotTaken', snapshot: metadata });
  }

  async #forget(index: number): Promise<void> {
    const { core, files, ticks } = this.#parts;
    const { log, snapshot } = core.state;
    const inUse = files.oldestInUse(ticks.now);
    const through = Math.min(index, inUse, snapshot.last.index) as LogIndex;
    if (this.#isStopped || through <= log.base.index) return;
    core.feed({ kind: 'compact', through });
    await core.log.dropThrough(through);
  }

  /** @returns the index of a file with the machine's content as it is now */
  async #create(): Promise<LogIndex> {
    const { apply, machine, core, place, files, ticks } = this.#parts;
    const { snapshot, metadata } = await apply.exclusive(async () => {
      const opened = await machine.openSnapshot();
      return { snapshot: opened, metadata: snapshotMetadataAt(core.state, opened.index) };
    });
    try {
      const writer = await SnapshotWriter.create(place, metadata, 'own');
      await this.#copy(snapshot.content, writer);
      await writer.finish();
    } finally {
      await snapshot.close();
    }
    await files.add(snapshot.index, ticks.now);
    await files.prune(ticks.now);
    if (snapshot.index > core.state.snapshot.last.index) {
      // The file may be deleted one day: by then the machine itself must hold its content.
      await apply.exclusive(() => machine.flush());
      await this.#taken(metadata);
    }
    return snapshot.index;
  }

  async #copy(content: AsyncIterable<Uint8Array>, writer: SnapshotWriter): Promise<void> {
    try {
      for await (const piece of content) {
        if (this.#isStopped) throw new Error('the group was closed');
        await writer.append(piece);
      }
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async #serve(read: SnapshotRead): Promise<void> {
    const { core, files, ticks } = this.#parts;
    const { to, snapshotIndex, offset, bytesMax } = read;
    if (core.leadership.role !== 'leader') return;
    try {
      const reader = files.use(snapshotIndex, ticks.now) ?? (await this.#createUnlessNewer(read));
      if (this.#isStopped) return;
      if (reader === null) {
        core.feed({ kind: 'snapshotGone', to, snapshotIndex });
        return;
      }
      const data = await reader.read(offset, bytesMax);
      const done = offset + data.length >= reader.contentBytes;
      if (!this.#isStopped) {
        core.feed({ kind: 'snapshotRead', to, snapshotIndex, offset, data, done });
      }
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      // The follower asks again: a damaged file is made anew, and a full disk may have room.
      this.failures += 1;
      if (error instanceof SnapshotDamaged) await files.remove(snapshotIndex);
    }
  }

  /** Null when the file to be read instead is another one. */
  async #createUnlessNewer({ snapshotIndex }: SnapshotRead): Promise<SnapshotReader | null> {
    const { core, files, ticks } = this.#parts;
    const newest = core.state.snapshot.last.index;
    // Made for another follower while this one waited.
    if (newest > snapshotIndex && files.use(newest, ticks.now) !== null) return null;
    await this.#create();
    return files.use(snapshotIndex, ticks.now);
  }

  async #receive(write: SnapshotWrite): Promise<void> {
    this.#queuedPieces -= 1;
    try {
      await this.#store(write);
    } catch {
      // The disk has no room, most likely: nothing was changed, and the leader begins anew.
      this.#incoming = null;
      this.failures += 1;
    }
    if (!write.done || this.#isStopped) return;
    const isWhole = this.#incoming !== null;
    this.#incoming = null;
    if (isWhole) await this.#install(write.snapshot);
    else this.#parts.core.feed({ kind: 'snapshotInstallFailed' });
  }

  async #store({ snapshot, offset, data, done }: SnapshotWrite): Promise<void> {
    if (offset === 0) {
      const earlier = this.#incoming;
      this.#incoming = null;
      await earlier?.abort();
      this.#incoming = await SnapshotWriter.create(this.#parts.place, snapshot, 'incoming');
    }
    if (this.#incoming === null || this.#incoming.contentBytes !== offset) {
      throw new Error('an earlier piece is missing');
    }
    await this.#incoming.append(data);
    if (done) await this.#incoming.finish();
  }

  async #install(metadata: SnapshotMetadata): Promise<void> {
    const { apply, machine, core, files, place, ticks, onInstalled } = this.#parts;
    const { index } = metadata.last;
    // The term in which it came is durable before the snapshot counts.
    await core.flushAll();
    const reader = await files.add(index, ticks.now);
    await apply.exclusive(async () => {
      await machine.install(index, reader.content());
      apply.replaced(index);
    });
    await writeSnapshotMetadata(place, place.groupId, metadata);
    this.#entriesSince = 0;
    this.#bytesSince = 0;
    if (this.#isStopped) return;
    core.feed({ kind: 'snapshotInstalled', snapshot: metadata });
    onInstalled(index);
    await this.#forget(index);
  }
}
