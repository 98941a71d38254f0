/**
 * Which of the directories holds the state.
 *
 * ```text
 *  <directory>/FORMAT      the name and the version of the format
 *  <directory>/STATE       state-7
 *  <directory>/state-7/    the database
 *  <directory>/state-8/    one that is being filled, or was when the process died: removed at a start
 * ```
 *
 * A whole new content is filled in beside and becomes the state by one rename.
 */
import { type DirectoryLock, type FileSystem, readWholeFile } from '@robustmq/environment';
import {
  DataDirectoryError,
  type DataFormat,
  openDataDirectory,
  replaceFile,
} from '@robustmq/record-log';
import { LevelStateError } from './level-state-error.ts';

const POINTER = 'STATE';
const NAME = /^state-([1-9][0-9]{0,14})$/;

export class StateDirectory {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  #number: number;

  constructor(fileSystem: FileSystem, directory: string, lock: DirectoryLock, number: number) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#lock = lock;
    this.#number = number;
  }

  /** 0 before the first state. */
  get isNew(): boolean {
    return this.#number === 0;
  }

  /** Of the state in force. */
  get path(): string {
    return this.#pathOf(this.#number);
  }

  /** An absent directory for the next state. */
  async prepareNext(): Promise<string> {
    const path = this.#pathOf(this.#number + 1);
    await removeDatabase(this.#fileSystem, path);
    return path;
  }

  /** Puts the next state in force, whose content is durable. */
  async switchToNext(): Promise<void> {
    const number = this.#number + 1;
    await this.#fileSystem.syncDirectory(this.#pathOf(number));
    const text = new TextEncoder().encode(`state-${number}\n`);
    // Renaming the pointer also makes the new directory's own entry durable.
    await replaceFile(this.#fileSystem, `${this.#directory}/${POINTER}`, text);
    this.#number = number;
  }

  /** Removes every state that is not in force. */
  async removeOthers(): Promise<void> {
    for (const name of await this.#fileSystem.list(this.#directory)) {
      const number = NAME.exec(name)?.[1];
      if (number !== undefined && Number(number) !== this.#number) {
        await removeDatabase(this.#fileSystem, `${this.#directory}/${name}`);
      }
    }
  }

  release(): Promise<void> {
    return this.#lock.release();
  }

  #pathOf(number: number): string {
    return `${this.#directory}/state-${number}`;
  }
}

/** Creates the directory when absent and locks it. */
export async function openStateDirectory(
  fileSystem: FileSystem,
  directory: string,
  format: DataFormat,
): Promise<StateDirectory> {
  const lock = await lockOf(fileSystem, directory, format);
  try {
    const number = await readPointer(fileSystem, directory);
    return new StateDirectory(fileSystem, directory, lock, number);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function lockOf(
  fileSystem: FileSystem,
  directory: string,
  format: DataFormat,
): Promise<DirectoryLock> {
  try {
    return await openDataDirectory(fileSystem, directory, format);
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error;
    const isInUse = error.fault.code === 'DIRECTORY_IN_USE';
    const code = isInUse ? 'LEVEL_STATE_IN_USE' : 'LEVEL_STATE_UNKNOWN_FORMAT';
    throw new LevelStateError({ code, detail: error.fault.detail }, { cause: error });
  }
}

async function readPointer(fileSystem: FileSystem, directory: string): Promise<number> {
  const bytes = await readWholeFile(fileSystem, `${directory}/${POINTER}`);
  if (bytes === null) return 0;
  const number = NAME.exec(new TextDecoder().decode(bytes).trim())?.[1];
  if (number !== undefined) return Number(number);
  const detail = `${directory}/${POINTER} does not name a state: move the directory away and let this member join anew`;
  throw new LevelStateError({ code: 'LEVEL_STATE_CORRUPT', detail });
}

/** A database has files only, but for a directory of lost ones that a repair leaves. */
async function removeDatabase(fileSystem: FileSystem, path: string): Promise<void> {
  if ((await fileSystem.status(path)) === null) return;
  for (const name of await fileSystem.list(path)) {
    const child = `${path}/${name}`;
    const status = await fileSystem.status(child);
    if (status?.kind === 'directory') await removeDatabase(fileSystem, child);
    else if (status !== null) await fileSystem.unlink(child);
  }
  await fileSystem.removeDirectory(path);
}
