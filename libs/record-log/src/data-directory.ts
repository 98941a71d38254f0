/** A directory of ours: one process at a time, in a format that this version understands. */
import { fileErrorCode, readWholeFile } from '@robustmq/environment';
import type { DirectoryLock, FileSystem } from '@robustmq/environment';

const FORMAT_NAME = 'FORMAT';

/** What a directory holds: a word and a version, such as `robustmq-journal` 1. */
export interface DataFormat {
  readonly name: string;
  readonly version: number;
}

export type DataDirectoryFault =
  | { readonly code: 'DIRECTORY_IN_USE'; readonly detail: string }
  | { readonly code: 'FORMAT_UNKNOWN'; readonly detail: string };

export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
  readonly fault: DataDirectoryFault;

  constructor(fault: DataDirectoryFault, options?: ErrorOptions) {
    super(fault.detail, options);
    this.fault = fault;
  }
}

/** Creates the directory when absent, locks it and checks its format, written when it is new. */
export async function openDataDirectory(
  fileSystem: FileSystem,
  directory: string,
  format: DataFormat,
): Promise<DirectoryLock> {
  await fileSystem.makeDirectory(directory);
  const lock = await lockOf(fileSystem, directory);
  try {
    await checkFormat(fileSystem, directory, format);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

async function lockOf(fileSystem: FileSystem, directory: string): Promise<DirectoryLock> {
  try {
    return await fileSystem.lock(directory);
  } catch (error) {
    if (fileErrorCode(error) !== 'ELOCKED') throw error;
    const detail = `${error instanceof Error ? error.message : directory}: stop it, or use another data directory`;
    throw new DataDirectoryError({ code: 'DIRECTORY_IN_USE', detail }, { cause: error });
  }
}

async function checkFormat(
  fileSystem: FileSystem,
  directory: string,
  format: DataFormat,
): Promise<void> {
  const path = `${directory}/${FORMAT_NAME}`;
  const wanted = `${format.name} ${format.version}`;
  const bytes = await readWholeFile(fileSystem, path);
  if (bytes === null) return writeFormat(fileSystem, directory, wanted);
  const found = new TextDecoder().decode(bytes).trim();
  if (found === wanted) return;
  const detail = `${directory} holds "${found.slice(0, 80)}" but this version reads "${wanted}": use the version that wrote it, or another data directory`;
  throw new DataDirectoryError({ code: 'FORMAT_UNKNOWN', detail });
}

async function writeFormat(fileSystem: FileSystem, directory: string, text: string): Promise<void> {
  await replaceFile(
    fileSystem,
    `${directory}/${FORMAT_NAME}`,
    new TextEncoder().encode(`${text}\n`),
  );
}

/** Writes a whole file so that after a crash its old or its new content is there. Durable on return. */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${path}.tmp`;
  if ((await fileSystem.status(temporary)) !== null) await fileSystem.unlink(temporary);
  const file = await fileSystem.open(temporary, 'create');
  try {
    await file.write(bytes, 0);
    await file.syncData();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(path.slice(0, path.lastIndexOf('/')));
}
