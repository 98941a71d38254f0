/**
 * A file that only grows, of which every caller knows how much is whole and how much is durable.
 *
 * The rule after a failure: a full disk has a known outcome, because the file is cut back to its
 * last good length and that cut is flushed. Anything else, above all a failed flush, has an unknown
 * outcome: the system may have dropped the pages and report success next time, so the file is
 * broken until someone opens it again and checks what it holds.
 */
import { fileErrorCode } from '@robustmq/environment';
import type { FileSystem, OpenFile } from '@robustmq/environment';

export type AppendFault =
  /** Nothing was written; the file can be appended to again. */
  | { readonly kind: 'full'; readonly detail: string }
  /** What was written is unknown; this and every later operation fails. */
  | { readonly kind: 'broken'; readonly detail: string };

export class AppendError extends Error {
  override readonly name = 'AppendError';
  readonly fault: AppendFault;

  constructor(fault: AppendFault, options?: ErrorOptions) {
    super(fault.detail, options);
    this.fault = fault;
  }
}

const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** One operation at a time. */
export class AppendFile {
  readonly path: string;
  readonly #file: OpenFile;
  #length: number;
  #durableLength: number;
  #broken: AppendError | null = null;

  private constructor(path: string, file: OpenFile, length: number) {
    this.path = path;
    this.#file = file;
    this.#length = length;
    this.#durableLength = length;
  }

  /** Creates a file that starts with `header`; both are durable, and so is the name, on return. */
  static async create(
    fileSystem: FileSystem,
    path: string,
    header: Uint8Array,
  ): Promise<AppendFile> {
    let file: OpenFile | null = null;
    try {
      file = await fileSystem.open(path, 'create');
      await file.write(header, 0);
      await file.syncData();
      await fileSystem.syncDirectory(path.slice(0, path.lastIndexOf('/')));
      return new AppendFile(path, file, header.length);
    } catch (error) {
      await file?.close();
      // A leftover would stop the next attempt; the name is ours because the mode is `create`.
      if (file !== null) await fileSystem.unlink(path).catch(() => undefined);
      throw faultOf(error, `creating ${path}`);
    }
  }

  /** Opens a file whose first `length` bytes were checked; the rest is cut off. Durable on return. */
  static async open(fileSystem: FileSystem, path: string, length: number): Promise<AppendFile> {
    const file = await fileSystem.open(path, 'write');
    try {
      if ((await file.byteLength()) > length) await file.truncate(length);
      // A process that died may have left whole bytes in the system's cache that no flush has seen.
      await file.syncData();
    } catch (error) {
      await file.close();
      throw faultOf(error, `opening ${path}`);
    }
    return new AppendFile(path, file, length);
  }

  /** Bytes that are whole. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that survive a loss of power. */
  get durableLength(): number {
    return this.#durableLength;
  }

  /** Appends; with `sync` everything up to here is durable on return. Throws AppendError. */
  async append(bytes: Uint8Array, ack: 'sync' | 'async'): Promise<void> {
    this.#assertWhole();
    // With bytes before it that are not durable yet, only a flush of the whole file will do.
    const alone = ack === 'sync' && this.#durableLength === this.#length;
    try {
      if (alone) await this.#file.writeDurably(bytes, this.#length);
      else await this.#file.write(bytes, this.#length);
    } catch (error) {
      if (!FULL_CODES.has(fileErrorCode(error))) throw this.#break(error, 'writing');
      await this.#cutBack();
      throw faultOf(error, `writing ${this.path}`);
    }
    this.#length += bytes.length;
    if (alone) this.#durableLength = this.#length;
    else if (ack === 'sync') await this.sync();
  }

  async sync(): Promise<void> {
    this.#assertWhole();
    const length = this.#length;
    if (this.#durableLength === length) return;
    try {
      await this.#file.syncData();
    } catch (error) {
      throw this.#break(error, 'flushing');
    }
    this.#durableLength = length;
  }

  /** Frees the descriptor; flushes nothing. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  #assertWhole(): void {
    if (this.#broken !== null) throw this.#broken;
  }

  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#length);
      await this.#file.syncData();
      this.#durableLength = this.#length;
    } catch (error) {
      throw this.#break(error, 'cutting back');
    }
  }

  #break(error: unknown, doing: string): AppendError {
    const detail = `${doing} ${this.path}: ${messageOf(error)}`;
    this.#broken = new AppendError({ kind: 'broken', detail }, { cause: error });
    return this.#broken;
  }
}

function faultOf(error: unknown, doing: string): AppendError {
  const detail = `${doing}: ${messageOf(error)}`;
  const kind = FULL_CODES.has(fileErrorCode(error)) ? 'full' : 'broken';
  return new AppendError({ kind, detail }, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
