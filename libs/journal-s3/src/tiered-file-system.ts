/**
 * The files of a journal of segments, some of which are in a bucket: the engine above sees one directory.
 *
 * ```text
 * <base>.log  <base>.index      here, or here and in the bucket
 * <base>.tier                   in the bucket; the file may be gone from here
 * ```
 *
 * A segment that is only in the bucket is read by ranges. Removing one removes its note, then its objects.
 */
import { FileSystemError, fileErrorCode, readWholeFile } from '@robustmq/environment';
import type { DirectoryLock, FileStatus, FileSystem, OpenFile } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import { replaceFile } from '@robustmq/record-log';
import type { ObjectStore } from './object-store.ts';
import { HEADER_BYTES, encodeTierNote, readTierNote } from './tier-note.ts';
import type { TierNote } from './tier-note.ts';

const SEGMENT = '.log';
const INDEX = '.index';
const NOTE = '.tier';

/** Told the directory of a shard in which a segment was begun or removed. */
export type SegmentsChanged = (directory: string) => void;

export class TieredFileSystem implements FileSystem {
  readonly #local: FileSystem;
  readonly #store: ObjectStore;
  readonly #root: string;
  readonly #prefix: string;
  /** By the path without its ending. */
  readonly #notes = new Map<string, TierNote>();
  /** Keys of objects that are to be removed: nobody can find them any more. */
  readonly orphans: Set<string> = new Set();
  onSegmentsChanged: SegmentsChanged = () => undefined;
  /** Notes are made and removed one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param root  the directory of the shards; `prefix` stands for it in the bucket */
  constructor(
    local: FileSystem,
    store: ObjectStore,
    place: { readonly root: string; readonly prefix: string },
  ) {
    this.#local = local;
    this.#store = store;
    this.#root = place.root;
    this.#prefix = place.prefix;
  }

  keyOf(path: string): string {
    return `${this.#prefix}${path.slice(this.#root.length + 1)}`;
  }

  noteOf(stem: string): TierNote | undefined {
    return this.#notes.get(stem);
  }

  /** Reads the notes of a shard's directory. */
  async loadNotes(directory: string): Promise<void> {
    for (const name of await this.#local.list(directory)) {
      if (!name.endsWith(NOTE)) continue;
      const path = `${directory}/${name}`;
      const note = readTierNote((await readWholeFile(this.#local, path)) ?? new Uint8Array(0));
      if (note !== null) this.#notes.set(path.slice(0, -NOTE.length), note);
    }
  }

  /** From here on the bucket stands for what is missing here. Durable on return. */
  addNote(stem: string, note: TierNote): Promise<void> {
    return this.#exclusively(() => this.#writeNote(stem, note));
  }

  /** As `addNote`, unless the segment was removed meanwhile: then its objects are. */
  addNoteIfKept(stem: string, note: TierNote): Promise<void> {
    return this.#exclusively(async () => {
      if ((await this.#local.status(`${stem}${SEGMENT}`)) === null) this.#removeObjects(stem);
      else await this.#writeNote(stem, note);
    });
  }

  async dropLocal(stem: string): Promise<void> {
    for (const ending of [INDEX, SEGMENT]) {
      await this.#local.unlink(`${stem}${ending}`).catch(ignoreMissing);
    }
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile> {
    try {
      const file = await this.#local.open(path, mode);
      if (mode === 'create' && path.endsWith(SEGMENT)) {
        this.onSegmentsChanged(path.slice(0, path.lastIndexOf('/')));
      }
      return file;
    } catch (error) {
      const place = this.#remotePlace(path);
      if (fileErrorCode(error) !== 'ENOENT' || place === null || mode !== 'read') throw error;
      return new RemoteFile(this.#store, this.keyOf(path), place);
    }
  }

  async list(directory: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const name of await this.#local.list(directory)) {
      const stem = name.endsWith(NOTE) ? name.slice(0, -NOTE.length) : '';
      const note = this.#notes.get(`${directory}/${stem}`);
      if (note === undefined) {
        names.add(name);
        continue;
      }
      names.add(`${stem}${SEGMENT}`);
      if (note.indexBytes > 0) names.add(`${stem}${INDEX}`);
    }
    return [...names].toSorted();
  }

  async status(path: string): Promise<FileStatus | null> {
    const local = await this.#local.status(path);
    if (local !== null) return local;
    const place = this.#remotePlace(path);
    return place === null ? null : { kind: 'file', byteLength: place.byteLength };
  }

  /** The index of a segment in the bucket goes with the segment. */
  unlink(path: string): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#remotePlace(path) === null) {
        await this.#local.unlink(path);
        return;
      }
      if (path.endsWith(SEGMENT)) await this.#forget(path.slice(0, -SEGMENT.length));
      await this.#local.unlink(path).catch(ignoreMissing);
    });
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#local.makeDirectory(directory);
  }

  removeDirectory(directory: string): Promise<void> {
    return this.#local.removeDirectory(directory);
  }

  rename(source: string, target: string): Promise<void> {
    return this.#local.rename(source, target);
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#local.syncDirectory(directory);
  }

  freeBytes(path: string): Promise<number> {
    return this.#local.freeBytes(path);
  }

  lock(directory: string): Promise<DirectoryLock> {
    return this.#local.lock(directory);
  }

  async #forget(stem: string): Promise<void> {
    this.#notes.delete(stem);
    await this.#local.unlink(`${stem}${NOTE}`);
    this.#removeObjects(stem);
  }

  async #writeNote(stem: string, note: TierNote): Promise<void> {
    await replaceFile(this.#local, `${stem}${NOTE}`, encodeTierNote(note));
    this.#notes.set(stem, note);
  }

  #removeObjects(stem: string): void {
    for (const ending of [SEGMENT, INDEX]) this.orphans.add(this.keyOf(`${stem}${ending}`));
    this.onSegmentsChanged(stem.slice(0, stem.lastIndexOf('/')));
  }

  #exclusively<Value>(action: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #remotePlace(path: string): RemotePlace | null {
    const ending = path.endsWith(SEGMENT) ? SEGMENT : path.endsWith(INDEX) ? INDEX : null;
    if (ending === null) return null;
    const note = this.#notes.get(path.slice(0, -ending.length));
    if (note === undefined) return null;
    if (ending === SEGMENT) return { byteLength: note.segmentBytes, header: note.header };
    return note.indexBytes === 0 ? null : { byteLength: note.indexBytes, header: null };
  }
}

interface RemotePlace {
  readonly byteLength: number;
  /** The first bytes, where they are known. */
  readonly header: Uint8Array | null;
}

class RemoteFile implements OpenFile {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #place: RemotePlace;

  constructor(store: ObjectStore, key: string, place: RemotePlace) {
    this.#store = store;
    this.#key = key;
    this.#place = place;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const after = Math.min(position + target.length, this.#place.byteLength);
    const { header } = this.#place;
    if (header !== null && after <= HEADER_BYTES) {
      target.set(header.subarray(position, after));
      return Math.max(0, after - position);
    }
    const bytes = await this.#store.get(this.#key, { first: position, after }).catch(unavailable);
    // What is missing fails its checksum above.
    if (bytes === null) return 0;
    target.set(bytes.subarray(0, target.length));
    return Math.min(bytes.length, target.length);
  }

  async byteLength(): Promise<number> {
    return this.#place.byteLength;
  }

  async close(): Promise<void> {}

  write(): Promise<void> {
    return this.#refuse();
  }

  syncData(): Promise<void> {
    return this.#refuse();
  }

  writeDurably(): Promise<void> {
    return this.#refuse();
  }

  truncate(): Promise<void> {
    return this.#refuse();
  }

  preallocate(): Promise<void> {
    return this.#refuse();
  }

  #refuse(): Promise<never> {
    return Promise.reject(
      new FileSystemError('EROFS', `${this.#key} is in the bucket: it is read only`),
    );
  }
}

function ignoreMissing(error: unknown): void {
  if (fileErrorCode(error) !== 'ENOENT') throw error;
}

/** Not a failure of the disk: it passes. */
function unavailable(cause: unknown): never {
  const detail = `the bucket can't be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'bucket', detail }, { cause });
}
