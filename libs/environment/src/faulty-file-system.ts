/** A file system that fails where a test says so: a wrapper, so any file system can be made faulty. */
import { FileSystemError } from './file-system.ts';
import type { DirectoryLock, FileStatus, FileSystem, OpenFile } from './file-system.ts';

export type FileOperationKind =
  | 'open'
  | 'list'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'status'
  | 'freeBytes'
  | 'lock'
  | 'read'
  | 'write'
  | 'syncData'
  | 'truncate'
  | 'preallocate'
  | 'byteLength'
  | 'close';

/** One operation, about to begin. `number` counts all operations from 0. */
export interface FileOperation {
  readonly kind: FileOperationKind;
  readonly path: string;
  readonly number: number;
}

export type FileFault =
  /** Fails without effect. */
  | { readonly kind: 'fail'; readonly code: string }
  /** A write puts down its first `byteLength` bytes, then fails. */
  | { readonly kind: 'shortWrite'; readonly byteLength: number; readonly code: string }
  /** Happens once `until` has settled. */
  | { readonly kind: 'slow'; readonly until: Promise<void> }
  /** This and every later operation fails: the machine is gone. */
  | { readonly kind: 'crash' };

export class FaultyFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #decide: (operation: FileOperation) => FileFault | null;
  #operations = 0;
  #crashed = false;

  constructor(inner: FileSystem, decide: (operation: FileOperation) => FileFault | null) {
    this.#inner = inner;
    this.#decide = decide;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile> {
    await this.#before('open', path);
    return this.#wrap(await this.#inner.open(path, mode), path);
  }

  async list(directory: string): Promise<readonly string[]> {
    await this.#before('list', directory);
    return this.#inner.list(directory);
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#before('makeDirectory', directory);
    return this.#inner.makeDirectory(directory);
  }

  async removeDirectory(directory: string): Promise<void> {
    await this.#before('removeDirectory', directory);
    return this.#inner.removeDirectory(directory);
  }

  async rename(source: string, target: string): Promise<void> {
    await this.#before('rename', source);
    return this.#inner.rename(source, target);
  }

  async unlink(path: string): Promise<void> {
    await this.#before('unlink', path);
    return this.#inner.unlink(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#before('syncDirectory', directory);
    return this.#inner.syncDirectory(directory);
  }

  async status(path: string): Promise<FileStatus | null> {
    await this.#before('status', path);
    return this.#inner.status(path);
  }

  async freeBytes(path: string): Promise<number> {
    await this.#before('freeBytes', path);
    return this.#inner.freeBytes(path);
  }

  async lock(directory: string): Promise<DirectoryLock> {
    await this.#before('lock', directory);
    return this.#inner.lock(directory);
  }

  async #before(kind: FileOperationKind, path: string): Promise<FileFault | null> {
    const operation = { kind, path, number: this.#operations };
    this.#operations += 1;
    const fault = this.#crashed ? { kind: 'crash' as const } : this.#decide(operation);
    if (fault === null) return null;
    if (fault.kind === 'slow') await fault.until;
    if (fault.kind === 'crash') {
      this.#crashed = true;
      throw new FileSystemError('EIO', `${kind} of ${path} after the machine crashed`);
    }
    if (fault.kind === 'fail') throw new FileSystemError(fault.code, `${kind} of ${path}`);
    return fault;
  }

  #wrap(file: OpenFile, path: string): OpenFile {
    const before = (kind: FileOperationKind): Promise<FileFault | null> => this.#before(kind, path);
    const write = async (bytes: Uint8Array, position: number): Promise<void> => {
      const fault = await before('write');
      if (fault?.kind !== 'shortWrite') return file.write(bytes, position);
      await file.write(bytes.subarray(0, fault.byteLength), position);
      throw new FileSystemError(fault.code, `write of ${path}`);
    };
    const syncData = async (): Promise<void> => (await before('syncData'), file.syncData());
    return {
      read: async (target, position) => (await before('read'), file.read(target, position)),
      write,
      syncData,
      // Two operations, so that a history may end between them.
      writeDurably: async (bytes, position) => (await write(bytes, position), syncData()),
      truncate: async (length) => (await before('truncate'), file.truncate(length)),
      preallocate: async (length) => (await before('preallocate'), file.preallocate(length)),
      byteLength: async () => (await before('byteLength'), file.byteLength()),
      close: async () => (await before('close'), file.close()),
    };
  }
}
