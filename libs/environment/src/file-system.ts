/**
 * Files as a storage engine sees them: positional input and output, explicit flushes.
 *
 * Failures reject with an error whose `code` is the operating system's name (`ENOENT`, `ENOSPC`,
 * `EIO` …); `fileErrorCode` reads it.
 */
export interface FileSystem {
  /**
   * `read`: the file must exist. `write`: for reading and writing, it must exist. `create`: for
   * reading and writing, and it must not exist (`EEXIST`).
   */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile>;
  /** The names in a directory, sorted; empty when it does not exist. */
  list(directory: string): Promise<readonly string[]>;
  /** Creates a directory and those above it. Idempotent. */
  makeDirectory(directory: string): Promise<void>;
  /** Removes an empty directory. */
  removeDirectory(directory: string): Promise<void>;
  /** Replaces `target` atomically; durable after `syncDirectory`. */
  rename(source: string, target: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Null when there is no such file. */
  status(path: string): Promise<FileStatus | null>;
  /** Bytes that an ordinary user can still write to the disk that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /**
   * Takes the directory for this process; rejects with code `ELOCKED` and a sentence that names the
   * holder when another live process, or someone else in this one, has it. A lock left behind by a
   * process that died is taken over.
   */
  lock(directory: string): Promise<DirectoryLock>;
}

export interface FileStatus {
  readonly kind: 'file' | 'directory';
  readonly byteLength: number;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Positions and lengths in bytes. Operations may overlap; those that touch the same bytes must not. */
export interface OpenFile {
  /** Reads up to `target.length` bytes; fewer only at the end of the file. Returns how many. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` or rejects; then any part of them may have been written. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written, and the length, durable. After a failure the outcome is unknown for good. */
  syncData(): Promise<void>;
  /**
   * `write`, and makes these bytes and the length durable: one request to the system where that is
   * possible. Bytes of earlier writes are not made durable by it. After a failure it is unknown which part
   * was written and which part of that is durable.
   */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>;
  truncate(byteLength: number): Promise<void>;
  /** Reserves room so that the file reads as zeros up to `byteLength`; never shortens it. */
  preallocate(byteLength: number): Promise<void>;
  byteLength(): Promise<number>;
  close(): Promise<void>;
}

/** A failure that did not come from the operating system: of the memory file system, a wrapper or a lock. */
export class FileSystemError extends Error {
  override readonly name = 'FileSystemError';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** The operating system's name of a failure, or `UNKNOWN`. */
export function fileErrorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNKNOWN';
}

/** The whole content of a file; null when it does not exist. */
export async function readWholeFile(
  fileSystem: FileSystem,
  path: string,
): Promise<Uint8Array | null> {
  const status = await fileSystem.status(path);
  if (status === null) return null;
  const file = await fileSystem.open(path, 'read');
  try {
    const bytes = new Uint8Array(await file.byteLength());
    const length = await file.read(bytes, 0);
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
