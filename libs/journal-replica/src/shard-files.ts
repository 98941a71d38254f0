/**
 * The files that a replica keeps beside its log, in a directory of its own:
 *
 * ```text
 * base             the state before the first record of the log; durable, replaced as a whole
 * <number>.start   the state before the first entry of a segment; durable soon after it begins
 * <number>.index   the index of a sealed segment; rebuilt when it is missing or damaged
 * applied          how far the log was applied: index u64 and its CRC-32C; a hint, not flushed
 * ```
 *
 * States are as in `ShardState`. Everything but `base` can be had again from `base` and the log.
 */
import { crc32c } from '@robustmq/bytes';
import { fileErrorCode, type FileSystem, readWholeFile } from '@robustmq/environment';
import { readUint32, readUint64, ShardState, writeUint32, writeUint64 } from '@robustmq/journal';
import { replaceFile } from '@robustmq/record-log';

const HINT_BYTES = 12;
const BASE_NAME = 'base';
const HINT_NAME = 'applied';

export class ShardFiles {
  readonly #fileSystem: FileSystem;
  readonly directory: string;
  /** Files that may fail to be written, one after the other. */
  #writes: Promise<void> = Promise.resolve();

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.directory = directory;
  }

  indexPath(number: number): string {
    return `${this.directory}/${nameOf(number)}.index`;
  }

  /** Null when there is none yet. `damaged`: it is there, and is no state. */
  async readBase(): Promise<ShardState | null | 'damaged'> {
    const bytes = await readWholeFile(this.#fileSystem, `${this.directory}/${BASE_NAME}`);
    return bytes === null ? null : (ShardState.decode(bytes) ?? 'damaged');
  }

  /** Durable on return. */
  writeBase(state: Uint8Array): Promise<void> {
    return replaceFile(this.#fileSystem, `${this.directory}/${BASE_NAME}`, state);
  }

  /** Null when it is missing or damaged. */
  async readStart(number: number): Promise<ShardState | null> {
    const bytes = await readWholeFile(this.#fileSystem, this.#startPath(number));
    return bytes && ShardState.decode(bytes);
  }

  /** In the background; without it the state is had again from what is older. */
  writeStart(number: number, state: Uint8Array): void {
    this.#write(() => replaceFile(this.#fileSystem, this.#startPath(number), state));
  }

  /** In the background. */
  writeIndex(number: number, bytes: Uint8Array): void {
    this.#write(() => this.#replaceUnflushed(this.indexPath(number), bytes));
  }

  /** 0 when nothing is known. */
  async readHint(): Promise<number> {
    const bytes = await readWholeFile(this.#fileSystem, `${this.directory}/${HINT_NAME}`);
    if (bytes === null || bytes.length !== HINT_BYTES) return 0;
    return readUint32(bytes, 8) === crc32c(bytes, 0, 8) ? readUint64(bytes, 0) : 0;
  }

  /** In the background. */
  writeHint(appliedIndex: number): void {
    const bytes = new Uint8Array(HINT_BYTES);
    writeUint64(bytes, 0, appliedIndex);
    writeUint32(bytes, 8, crc32c(bytes, 0, 8));
    this.#write(() => this.#replaceUnflushed(`${this.directory}/${HINT_NAME}`, bytes));
  }

  /** The numbers of all segments that have a start here, ascending. */
  async listStarts(): Promise<number[]> {
    const names = await this.#fileSystem.list(this.directory);
    return names.flatMap((name) =>
      /^\d{16}\.start$/.test(name) ? [Number.parseInt(name, 10)] : [],
    );
  }

  /** Deletes, in the background, what belongs to segments for which `isWanted` says no. */
  prune(isWanted: (number: number) => boolean): void {
    this.#write(async () => {
      for (const name of await this.#fileSystem.list(this.directory)) {
        if (!/^\d{16}\.(?:start|index)/.test(name)) continue;
        if (isWanted(Number.parseInt(name, 10))) continue;
        await this.#fileSystem.unlink(`${this.directory}/${name}`);
      }
    });
  }

  /** Settles when everything that is written in the background is. */
  settled(): Promise<void> {
    return this.#writes;
  }

  #startPath(number: number): string {
    return `${this.directory}/${nameOf(number)}.start`;
  }

  async #replaceUnflushed(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`;
    if ((await this.#fileSystem.status(temporary)) !== null)
      await this.#fileSystem.unlink(temporary);
    const file = await this.#fileSystem.open(temporary, 'create');
    try {
      await file.write(bytes, 0);
    } finally {
      await file.close();
    }
    await this.#fileSystem.rename(temporary, path);
  }

  #write(job: () => Promise<void>): void {
    this.#writes = this.#writes.then(job).catch((error: unknown) => {
      // Only a file is missing that can be had again; a mistake of ours is not that.
      if (fileErrorCode(error) === 'UNKNOWN') throw error;
    });
  }
}

function nameOf(number: number): string {
  return String(number).padStart(16, '0');
}
