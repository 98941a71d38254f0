/**
 * The state machine of a keyed shard in LevelDB, of the shape that a Raft group drives; beside it the
 * reads of what is applied here.
 */
import type { FileSystem } from '@robustmq/environment';
import type { KeyedRecord } from '@robustmq/journal';
import {
  applyKeyedCommand,
  decodeKeyedCommand,
  decodeMeta,
  decodeStanding,
  expandSnapshotRecord,
  type KeyedCommand,
  type KeyedMeta,
  keyRecord,
  type KeyedResult,
  META_RECORD,
  SNAPSHOT_RECORDS,
} from '@robustmq/keyed';
import {
  type Database,
  fillDatabase,
  type LevelState,
  openLevelState,
  RecordStreamWriter,
  scan,
  type StateView,
} from '@robustmq/level-state';
import type { DataEntry, LogIndex } from '@robustmq/raft';
import type { MachineSnapshot, StateMachine } from '@robustmq/raft-driver';
import { RecentChanges } from './recent-changes.ts';
import { type ChangesPage, readChanges, readList } from './stored-pages.ts';

const FORMAT = { name: 'robustmq-keyed-shard', version: 1 } as const;
const STREAM_NAME = 'RMQKYSN\u0001';

export interface KeyedMachineOptions {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly recentBytesMax: number;
  readonly databaseBytesMax: number;
}

/** @throws LevelStateError  what is on disk can't be had or trusted */
export async function openKeyedMachine(options: KeyedMachineOptions): Promise<KeyedMachine> {
  const { directory, fileSystem, recentBytesMax, databaseBytesMax } = options;
  const memory = { cacheBytes: databaseBytesMax, writeBufferBytes: databaseBytesMax };
  const state = await openLevelState({ directory, format: FORMAT, fileSystem, memory });
  return new KeyedMachine(state, recentBytesMax);
}

export class KeyedMachine implements StateMachine<readonly KeyedResult[]> {
  readonly #state: LevelState;
  readonly #recentBytesMax: number;
  readonly #listeners = new Set<() => void>();
  #meta: KeyedMeta;
  #recent: RecentChanges;
  /** Of the last call of `apply` that is over. */
  #appliedIndex: LogIndex;

  constructor(state: LevelState, recentBytesMax: number) {
    this.#state = state;
    this.#recentBytesMax = recentBytesMax;
    this.#meta = decodeMeta(state.records.get(META_RECORD));
    this.#recent = new RecentChanges(recentBytesMax, this.#meta.revision);
    this.#appliedIndex = state.appliedIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  /** The counters of what is applied here. */
  get meta(): KeyedMeta {
    return this.#meta;
  }

  async apply(
    entries: readonly DataEntry[],
    through: LogIndex,
  ): Promise<readonly (readonly KeyedResult[])[]> {
    const results: (readonly KeyedResult[])[] = [];
    try {
      for (const entry of entries) {
        await this.#state.makeRoom();
        results.push(this.#applyOne(entry));
      }
      this.#state.applied(through);
    } catch (error) {
      // What is pending now is not known: a later command must not be applied on it.
      throw this.#state.poison(error);
    }
    this.#appliedIndex = through;
    for (const listener of this.#listeners) listener();
    return results;
  }

  #applyOne(entry: DataEntry): readonly KeyedResult[] {
    const { records } = this.#state;
    const { results, changes } = applyKeyedCommand(records, commandOf(entry));
    this.#meta = decodeMeta(records.get(META_RECORD));
    this.#state.applied(entry.index);
    this.#recent.add(changes, entry.data.length);
    return results;
  }

  flush(): Promise<LogIndex> {
    return this.#state.flush();
  }

  async openSnapshot(): Promise<MachineSnapshot> {
    const view = await this.#state.openView();
    return { index: view.appliedIndex, content: snapshotContent(view), close: () => view.close() };
  }

  async install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void> {
    const options = { name: STREAM_NAME, index, expand: expandSnapshotRecord };
    await this.#state.replace((database: Database) => fillDatabase(database, content, options));
    this.#meta = decodeMeta(this.#state.records.get(META_RECORD));
    // What was written between the old content and the new one is not known here.
    this.#recent = new RecentChanges(this.#recentBytesMax, this.#meta.revision);
    this.#appliedIndex = this.#state.appliedIndex;
    for (const listener of this.#listeners) listener();
  }

  close(): Promise<void> {
    return this.#state.close();
  }

  /** Called after each batch of commands, and after a snapshot was installed. */
  onApplied(listener: () => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => this.#listeners.delete(listener) };
  }

  read(key: string): KeyedRecord | null {
    const record = this.#state.records.get(keyRecord(key));
    if (record === undefined) return null;
    const { fence, revision, value } = decodeStanding(record);
    return value === null ? null : { key, fence, value, revision };
  }

  list(after: string | null, limit: number): Promise<readonly KeyedRecord[]> {
    return this.#state.read((view) => readList(view, after, limit));
  }

  /** From memory when it is there. An empty page at the position: there is nothing newer. */
  async changes(after: number, limit: number): Promise<ChangesPage> {
    if (!this.#recent.covers(after)) {
      return this.#state.read((view) => readChanges(view, after, limit));
    }
    const changes = this.#recent.after(after, limit);
    const position = changes.at(-1)?.revision ?? after;
    // What is covered is complete, whatever was forgotten elsewhere.
    return { changes, position, forgottenRevision: 0 };
  }
}

function commandOf(entry: DataEntry): KeyedCommand {
  const decoded = decodeKeyedCommand(entry.data);
  if (decoded.ok) return decoded.value;
  throw new Error(
    `entry ${entry.index} of the log of a keyed shard is not understood (${decoded.fault.detail}): run the version that wrote it`,
  );
}

async function* snapshotContent({ database, snapshot }: StateView): AsyncGenerator<Uint8Array> {
  const writer = new RecordStreamWriter(STREAM_NAME);
  for (const range of SNAPSHOT_RECORDS) {
    for await (const entries of scan(database, range, { snapshot, recordsMax: null })) {
      for (const [name, record] of entries) {
        const piece = writer.add(name, record);
        if (piece !== null) yield piece;
      }
    }
  }
  yield writer.end();
}
