/** The file system of the machine, through numeric descriptors and the callback interface. */
import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  mkdir,
  open,
  read,
  readdir,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
  write,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FileSystemError, fileErrorCode } from './file-system.ts';
import type { DirectoryLock, FileStatus, FileSystem, OpenFile } from './file-system.ts';
import { lockDirectory } from './node-directory-lock.ts';

const OPEN_FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

type Done = (error: Error | null) => void;
type DoneWith<Value> = (error: Error | null, value: Value) => void;

function settled(start: (done: Done) => void): Promise<void> {
  return new Promise((succeed, reject) => {
    start((error) => (error === null || error === undefined ? succeed() : reject(error)));
  });
}

function settledWith<Value>(start: (done: DoneWith<Value>) => void): Promise<Value> {
  return new Promise((succeed, reject) => {
    start((error, value) =>
      error === null || error === undefined ? succeed(value) : reject(error),
    );
  });
}

export const nodeFileSystem: FileSystem = {
  async open(path, mode): Promise<OpenFile> {
    const flags = OPEN_FLAGS[mode];
    const descriptor = await settledWith<number>((done) => open(path, flags, FILE_MODE, done));
    return new NodeFile(descriptor, mode === 'read' ? 'read' : 'write');
  },

  async list(directory): Promise<readonly string[]> {
    try {
      const names = await settledWith<string[]>((done) => readdir(directory, done));
      return names.sort();
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },

  async makeDirectory(directory): Promise<void> {
    const options = { recursive: true, mode: DIRECTORY_MODE };
    const topmost = await settledWith<string | undefined>((done) =>
      mkdir(directory, options, done),
    );
    if (topmost === undefined) return;
    // Each new name is durable once the directory above it is flushed.
    const top = dirname(resolve(topmost));
    for (let at = resolve(directory); at !== top; at = dirname(at)) {
      await nodeFileSystem.syncDirectory(dirname(at));
    }
  },

  removeDirectory: (directory) => settled((done) => rmdir(directory, done)),
  rename: (source, target) => settled((done) => rename(source, target, done)),
  unlink: (path) => settled((done) => unlink(path, done)),

  async syncDirectory(directory): Promise<void> {
    const descriptor = await settledWith<number>((done) => open(directory, 'r', done));
    try {
      await settled((done) => fsync(descriptor, done));
    } finally {
      await settled((done) => close(descriptor, done));
    }
  },

  async status(path): Promise<FileStatus | null> {
    try {
      const found = await settledWith<{ isDirectory(): boolean; size: number }>((done) =>
        stat(path, done),
      );
      return { kind: found.isDirectory() ? 'directory' : 'file', byteLength: found.size };
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return null;
      throw error;
    }
  },

  async freeBytes(path): Promise<number> {
    const found = await settledWith<{ bavail: number; bsize: number }>((done) =>
      statfs(path, done),
    );
    return found.bavail * found.bsize;
  },

  lock: (directory): Promise<DirectoryLock> => lockDirectory(directory),
};

/**
 * Linux flushes what is written through a descriptor with `O_DSYNC` as `fdatasync` does. Elsewhere that
 * may mean less: macOS leaves it in the disk's own cache.
 */
const WRITES_DURABLY = process.platform === 'linux' ? constants.O_WRONLY | constants.O_DSYNC : null;

class NodeFile implements OpenFile {
  readonly #descriptor: number;
  /** A second descriptor of the file, for `writeDurably`; null: not opened yet, or there can be none. */
  #durable: number | null = null;
  #mayBeDurable: boolean;

  constructor(descriptor: number, mode: 'read' | 'write') {
    this.#descriptor = descriptor;
    this.#mayBeDurable = mode === 'write' && WRITES_DURABLY !== null;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const count = await settledWith<number>((done) =>
        read(this.#descriptor, target, filled, target.length - filled, position + filled, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return writeAll(this.#descriptor, bytes, position);
  }

  /** One request to the thread pool: between a write and a flush the event loop may be busy. */
  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    if (this.#durable === null && this.#mayBeDurable) await this.#openDurable();
    if (this.#durable !== null) return writeAll(this.#durable, bytes, position);
    await this.write(bytes, position);
    return this.syncData();
  }

  syncData(): Promise<void> {
    return settled((done) => fdatasync(this.#descriptor, done));
  }

  truncate(byteLength: number): Promise<void> {
    return settled((done) => ftruncate(this.#descriptor, byteLength, done));
  }

  async preallocate(byteLength: number): Promise<void> {
    if ((await this.byteLength()) < byteLength) await this.truncate(byteLength);
  }

  async byteLength(): Promise<number> {
    return (await settledWith<{ size: number }>((done) => fstat(this.#descriptor, done))).size;
  }

  async close(): Promise<void> {
    const durable = this.#durable;
    this.#durable = null;
    this.#mayBeDurable = false;
    if (durable !== null) await settled((done) => close(durable, done));
    return settled((done) => close(this.#descriptor, done));
  }

  /** By the descriptor, since the name may be another file's by now. Without /proc there is none. */
  async #openDurable(): Promise<void> {
    this.#mayBeDurable = false;
    const path = `/proc/self/fd/${this.#descriptor}`;
    const flags = WRITES_DURABLY ?? 0;
    const opened = settledWith<number>((done) => open(path, flags, done));
    this.#durable = await opened.catch(() => null);
  }
}

async function writeAll(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const count = await settledWith<number>((done) =>
      write(descriptor, bytes, written, bytes.length - written, position + written, done),
    );
    if (count === 0) throw new FileSystemError('EIO', 'a write of the system made no progress');
    written += count;
  }
}
