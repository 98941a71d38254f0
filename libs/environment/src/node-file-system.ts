/** The file system of the machine, through numeric descriptors and the callback interface. */
import {
  close,
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
    return new NodeFile(await settledWith<number>((done) => open(path, flags, FILE_MODE, done)));
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

class NodeFile implements OpenFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
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

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const count = await settledWith<number>((done) =>
        write(this.#descriptor, bytes, written, bytes.length - written, position + written, done),
      );
      if (count === 0) throw new FileSystemError('EIO', 'a write of the system made no progress');
      written += count;
    }
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

  close(): Promise<void> {
    return settled((done) => close(this.#descriptor, done));
  }
}
