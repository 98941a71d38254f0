/**
 * A file system in memory that can lose power.
 *
 * `crashClone(seed)` is the disk as a machine would find it after losing power now: flushed bytes
 * are there; of the others each 512-byte sector is there or not; names that were created, renamed
 * or removed since the last `syncDirectory` took effect up to some point, in order.
 */
import { FileSystemError } from './file-system.ts';
import type { DirectoryLock, FileStatus, FileSystem, OpenFile } from './file-system.ts';
import { MemoryFile } from './memory-file.ts';
import { SeededRandom } from './random-source.ts';

interface NameChange {
  readonly directory: string;
  /** Null removes the name. */
  readonly file: MemoryFile | null;
  readonly path: string;
  /** Changes with the same number happen together (a rename). */
  readonly group: number;
}

export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, MemoryFile>();
  readonly #durableFiles = new Map<string, MemoryFile>();
  readonly #directories = new Set<string>(['', '.', '/']);
  readonly #locks = new Set<string>();
  #unsynced: NameChange[] = [];
  #groups = 0;
  readonly #capacityBytes: number;

  constructor(capacityBytes: number = Number.MAX_SAFE_INTEGER) {
    this.#capacityBytes = capacityBytes;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile> {
    let file = this.#files.get(path);
    if (mode === 'create') {
      if (file !== undefined) throw new FileSystemError('EEXIST', path);
      if (!this.#directories.has(directoryOf(path))) throw new FileSystemError('ENOENT', path);
      file = new MemoryFile();
      this.#change([{ path, file }]);
    }
    if (file === undefined) throw new FileSystemError('ENOENT', path);
    return this.#openFile(file, path, mode);
  }

  async list(directory: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      if (path !== directory && directoryOf(path) === directory) names.add(nameOf(path));
    }
    return [...names].sort();
  }

  async makeDirectory(directory: string): Promise<void> {
    for (let at = directory; !this.#directories.has(at); at = directoryOf(at)) {
      this.#directories.add(at);
    }
  }

  async removeDirectory(directory: string): Promise<void> {
    if ((await this.list(directory)).length > 0) throw new FileSystemError('ENOTEMPTY', directory);
    this.#directories.delete(directory);
  }

  async rename(source: string, target: string): Promise<void> {
    const file = this.#files.get(source);
    if (file !== undefined) {
      this.#change([
        { path: source, file: null },
        { path: target, file },
      ]);
    } else if (this.#directories.has(source)) this.#renameDirectory(source, target);
    else throw new FileSystemError('ENOENT', source);
  }

  async unlink(path: string): Promise<void> {
    if (!this.#files.has(path)) throw new FileSystemError('ENOENT', path);
    this.#change([{ path, file: null }]);
  }

  async syncDirectory(directory: string): Promise<void> {
    const synced = this.#unsynced.filter((change) => change.directory === directory);
    this.#unsynced = this.#unsynced.filter((change) => change.directory !== directory);
    for (const change of synced) apply(this.#durableFiles, change);
  }

  async status(path: string): Promise<FileStatus | null> {
    const file = this.#files.get(path);
    if (file !== undefined) return { kind: 'file', byteLength: file.byteLength };
    return this.#directories.has(path) ? { kind: 'directory', byteLength: 0 } : null;
  }

  async freeBytes(_path: string): Promise<number> {
    return this.#capacityBytes - this.#usedBytes();
  }

  async lock(directory: string): Promise<DirectoryLock> {
    if (this.#locks.has(directory)) {
      throw new FileSystemError('ELOCKED', `${directory} is in use by this process`);
    }
    this.#locks.add(directory);
    return { release: async () => void this.#locks.delete(directory) };
  }

  /** The disk after a loss of power at this moment; the same for the same seed. This one goes on. */
  crashClone(seed: number): MemoryFileSystem {
    const random = new SeededRandom(seed);
    const clone = new MemoryFileSystem(this.#capacityBytes);
    const files = new Map(this.#durableFiles);
    const groupsKept = random.below(this.#groups + 1);
    const keepAll = random.below(2) === 0;
    for (const change of this.#unsynced) {
      if (keepAll || change.group < groupsKept) apply(files, change);
    }
    for (const directory of this.#directories) clone.#directories.add(directory);
    const left = new Map<MemoryFile, MemoryFile>();
    for (const [path, file] of files) {
      const remains = left.get(file) ?? file.afterCrash(random);
      left.set(file, remains);
      clone.#files.set(path, remains);
      clone.#durableFiles.set(path, remains);
    }
    return clone;
  }

  /** The content of a file as programs see it, to look at or to damage. Null when it does not exist. */
  contentOf(path: string): Uint8Array | null {
    const file = this.#files.get(path);
    if (file === undefined) return null;
    const bytes = new Uint8Array(file.byteLength);
    file.read(bytes, 0);
    return bytes;
  }

  /** Flips bits of one byte, on the disk too, as a failing disk does. */
  flipBits(path: string, position: number, mask: number): void {
    const file = this.#files.get(path);
    if (file === undefined) throw new FileSystemError('ENOENT', path);
    const byte = new Uint8Array(1);
    file.read(byte, position);
    byte[0] = (byte[0] as number) ^ mask;
    file.write(byte, position);
    file.sync();
  }

  #usedBytes(): number {
    let used = 0;
    for (const file of this.#files.values()) used += file.byteLength;
    return used;
  }

  #change(changes: readonly { readonly path: string; readonly file: MemoryFile | null }[]): void {
    const group = this.#groups;
    this.#groups += 1;
    for (const { path, file } of changes) {
      const change = { directory: directoryOf(path), path, file, group };
      apply(this.#files, change);
      this.#unsynced.push(change);
    }
  }

  /** Durable at once: no test here depends on losing the rename of a directory. */
  #renameDirectory(source: string, target: string): void {
    for (const files of [this.#files, this.#durableFiles]) {
      for (const [path, file] of [...files]) {
        if (!path.startsWith(`${source}/`)) continue;
        files.delete(path);
        files.set(target + path.slice(source.length), file);
      }
    }
    this.#directories.delete(source);
    this.#directories.add(target);
  }

  #openFile(file: MemoryFile, path: string, mode: 'read' | 'write' | 'create'): OpenFile {
    const assertWritable = (): void => {
      if (mode === 'read') throw new FileSystemError('EBADF', path);
    };
    const write = (bytes: Uint8Array, position: number): void => {
      assertWritable();
      const room = this.#capacityBytes - this.#usedBytes() + file.byteLength - position;
      file.write(room < bytes.length ? bytes.subarray(0, Math.max(0, room)) : bytes, position);
      if (room < bytes.length) throw new FileSystemError('ENOSPC', path);
    };
    return {
      read: async (target, position) => file.read(target, position),
      write: async (bytes, position) => write(bytes, position),
      syncData: async () => file.sync(),
      writeDurably: async (bytes, position) => (write(bytes, position), file.sync()),
      truncate: async (byteLength) => (assertWritable(), file.truncate(byteLength)),
      preallocate: async (byteLength) => {
        if (file.byteLength < byteLength) file.truncate(byteLength);
      },
      byteLength: async () => file.byteLength,
      close: async () => undefined,
    };
  }
}

function apply(files: Map<string, MemoryFile>, change: NameChange): void {
  if (change.file === null) files.delete(change.path);
  else files.set(change.path, change.file);
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
