import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that would grow beyond this is set aside first. A longer line gets a file of its own. */
  readonly segmentBytesMax: number;
  /** Files in all, the current one included: `path`, `path.1` (newest) … `path.{filesMax - 1}`. */
  readonly filesMax: number;
}

const NO_DESCRIPTOR = -1;

/** Text waiting for a slow disk; lines beyond it are dropped and counted. */
const PENDING_BYTES_MAX = 1024 * 1024; // LIMIT: log-pending-bytes

/**
 * A log file that never takes more than `segmentBytesMax · filesMax` of the disk nor stops the event
 * loop: lines queue up to 1 MiB, one write is under way at a time, and what does not fit or cannot be
 * written (a full disk) is dropped, counted, and told in the file once writing works again.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor = NO_DESCRIPTOR;
  #fileBytes = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #writing = false;
  #closed = false;
  #idle: (() => void)[] = [];
  /** Lines lost since the last notice in the file. */
  #droppedUntold = 0;
  /** Lines lost since the start. */
  droppedLines = 0;

  /** Creates the directory and opens the file for appending. @throws the system's error */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    mkdirSync(dirname(options.path), { recursive: true });
    this.#open();
  }

  /** Takes one line, its end included. */
  write(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(line);
    if (this.#pendingBytes + bytes.length > PENDING_BYTES_MAX) {
      this.#countDropped(1);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#writeNext();
  }

  /** Writes what is queued before it returns: for the last words of a process. */
  flushSync(): void {
    if (this.#closed) return;
    for (let chunk = this.#takeChunk(); chunk !== null; chunk = this.#takeChunk()) {
      try {
        writeFileSync(this.#descriptor, chunk);
      } catch {
        // The disk is full or gone: there is no other place to say it, so it is counted.
        this.#countDropped(countLines(chunk));
      }
    }
  }

  /** Resolves once everything queued is written and the file is closed. Idempotent. */
  async close(): Promise<void> {
    while (this.#writing || this.#pending.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    if (this.#closed) return;
    this.#closed = true;
    this.#closeDescriptor();
  }

  #writeNext(): void {
    if (this.#writing) return;
    const chunk = this.#takeChunk();
    if (chunk === null) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    this.#writeAll(chunk, 0);
  }

  #writeAll(chunk: Buffer, from: number): void {
    write(this.#descriptor, chunk, from, chunk.length - from, null, (error, written) => {
      if (error === null && from + written < chunk.length) {
        this.#writeAll(chunk, from + written);
        return;
      }
      if (error !== null) this.#countDropped(countLines(chunk));
      this.#writing = false;
      this.#writeNext();
    });
  }

  /** The next lines that fit into the current file, as one buffer; sets the file aside when none does. */
  #takeChunk(): Buffer | null {
    const first = this.#pending[0];
    if (first === undefined) return null;
    if (!this.#makeRoom(first.length)) {
      this.#countDropped(this.#pending.length);
      this.#pending = [];
      this.#pendingBytes = 0;
      return null;
    }
    const chunk = this.#takeNotice();
    let bytes = chunk.reduce((sum, line) => sum + line.length, 0);
    let taken = 0;
    for (const line of this.#pending) {
      if (taken > 0 && this.#fileBytes + bytes + line.length > this.#options.segmentBytesMax) break;
      chunk.push(line);
      bytes += line.length;
      this.#pendingBytes -= line.length;
      taken += 1;
    }
    this.#pending.splice(0, taken);
    this.#fileBytes += bytes;
    return Buffer.concat(chunk);
  }

  /** False when there is no file to write to: the bound on the disk holds before the lines do. */
  #makeRoom(lineBytes: number): boolean {
    const full = this.#fileBytes > 0 && this.#fileBytes + lineBytes > this.#options.segmentBytesMax;
    // A write may be under way on the descriptor (only flushSync comes here then): keep it open.
    if (this.#writing || (!full && this.#descriptor !== NO_DESCRIPTOR)) return true;
    try {
      this.#closeDescriptor();
      if (full) setAside(this.#options);
      this.#open();
      return true;
    } catch {
      // Renaming or opening failed (a read-only or missing directory): the next line tries again.
      return false;
    }
  }

  #open(): void {
    this.#descriptor = openSync(this.#options.path, 'a', 0o640);
    this.#fileBytes = fstatSync(this.#descriptor).size;
  }

  #closeDescriptor(): void {
    if (this.#descriptor === NO_DESCRIPTOR) return;
    closeSync(this.#descriptor);
    this.#descriptor = NO_DESCRIPTOR;
  }

  #takeNotice(): Buffer[] {
    if (this.#droppedUntold === 0) return [];
    const lines = this.#droppedUntold;
    this.#droppedUntold = 0;
    return [Buffer.from(`{"level":"warn","event":"log.lines_dropped","lines":${lines}}\n`)];
  }

  #countDropped(lines: number): void {
    this.droppedLines += lines;
    this.#droppedUntold += lines;
  }
}

/** `path` becomes `path.1`, `path.1` becomes `path.2`, …; the oldest is overwritten. */
function setAside({ path, filesMax }: RotatingFileOptions): void {
  if (filesMax <= 1) rmSync(path, { force: true });
  for (let index = filesMax - 1; index >= 1; index--) {
    moveIfPresent(index === 1 ? path : `${path}.${index - 1}`, `${path}.${index}`);
  }
}

function moveIfPresent(source: string, target: string): void {
  try {
    renameSync(source, target);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function countLines(chunk: Buffer): number {
  let lines = 0;
  for (const byte of chunk) if (byte === 0x0a) lines += 1;
  return lines;
}
