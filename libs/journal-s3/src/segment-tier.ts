/**
 * Moves sealed segments to the bucket, one after the other, and frees their room here.
 *
 * A segment is sent, read back and compared; then its note is written; then, when what is kept here grows
 * beyond the limit, the oldest files go. The active segment and the one before it stay. After a failure
 * the next try comes later and later; meanwhile what waits fills the disk up to a limit, at which appends
 * are refused.
 */
import { readWholeFile } from '@robustmq/environment';
import type { FileSystem, TimerHandle, Timers } from '@robustmq/environment';
import type { ObjectStore } from './object-store.ts';
import { HEADER_BYTES } from './tier-note.ts';
import type { TieredFileSystem } from './tiered-file-system.ts';

const SEGMENT_NAME = /^(\d{20})\.log$/;
/** The active one, and the one that may still be closing. */
const SEGMENTS_KEPT = 2;
const RETRY_FIRST_MS = 1000;
const RETRY_LONGEST_MS = 60_000;

export interface TierLimits {
  /** Bytes of segments in the bucket whose files are kept here, too. */
  readonly localBytesMax: number;
  /** Bytes of sealed segments that wait for the bucket at which appends are refused. */
  readonly waitingBytesMax: number;
}

export interface TierParts {
  readonly local: FileSystem;
  readonly files: TieredFileSystem;
  readonly store: ObjectStore;
  readonly timers: Timers;
  readonly limits: TierLimits;
  /** Refuses when the bucket has another owner. */
  assertOwner(): Promise<void>;
  /** Told of every failure. */
  report(error: unknown): void;
}

export class SegmentTier {
  readonly #parts: TierParts;
  readonly #directories = new Set<string>();
  #working: Promise<void> | null = null;
  #isWanted = false;
  #isClosed = false;
  #retry: TimerHandle | null = null;
  #failures = 0;
  #lastFailure = '';
  #waitingBytes = 0;

  constructor(parts: TierParts) {
    this.#parts = parts;
    parts.files.onSegmentsChanged = (directory) => this.watch(directory);
  }

  /** Looks at a shard's directory now, and again whenever it changes. */
  watch(directory: string): void {
    this.#directories.add(directory);
    this.#isWanted = true;
    // While the bucket fails the retry is what works; what waits is measured all the same.
    if (this.#retry === null) this.#start();
    else void this.#measure().catch(() => undefined);
  }

  forget(directory: string): void {
    this.#directories.delete(directory);
  }

  /** Why so many more bytes are refused, or null. */
  refusal(byteCount: number): string | null {
    const { waitingBytesMax } = this.#parts.limits;
    if (this.#waitingBytes + byteCount <= waitingBytesMax) return null;
    const why = this.#lastFailure === '' ? '' : ` (${this.#lastFailure})`;
    return `${this.#waitingBytes} bytes of sealed segments wait for the bucket, ${waitingBytesMax} are allowed${why}`;
  }

  /** Waits until nothing is to be done, or a failure puts it off. */
  async settle(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.settle();
  }

  #start(): void {
    this.#retry = null;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    await Promise.resolve();
    while (this.#isWanted && !this.#isClosed && this.#retry === null) {
      this.#isWanted = false;
      try {
        await this.#pass();
        this.#failures = 0;
        this.#lastFailure = '';
      } catch (error) {
        this.#putOff(error);
      }
    }
    this.#working = null;
  }

  #putOff(error: unknown): void {
    this.#lastFailure = error instanceof Error ? error.message : String(error);
    this.#parts.report(error);
    this.#isWanted = true;
    if (this.#isClosed) return;
    const waitMs = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = this.#parts.timers.after(waitMs, () => this.#start());
  }

  async #pass(): Promise<void> {
    const { files, store } = this.#parts;
    await this.#measure();
    const waiting = await this.#waiting();
    if (waiting.length > 0 || files.orphans.size > 0) await this.#parts.assertOwner();
    for (const key of [...files.orphans]) {
      await store.delete(key);
      files.orphans.delete(key);
    }
    for (const { stem, byteLength } of waiting) {
      if (this.#isClosed) return;
      await this.#upload(stem);
      this.#waitingBytes -= byteLength;
    }
    await this.#dropOldest();
  }

  async #upload(stem: string): Promise<void> {
    const { local, files } = this.#parts;
    const segment = await readWholeFile(local, `${stem}.log`);
    if (segment === null) return;
    const index = (await readWholeFile(local, `${stem}.index`)) ?? new Uint8Array(0);
    await this.#send(`${stem}.log`, segment);
    if (index.length > 0) await this.#send(`${stem}.index`, index);
    await files.addNoteIfKept(stem, {
      segmentBytes: segment.length,
      indexBytes: index.length,
      header: segment.slice(0, HEADER_BYTES),
    });
  }

  async #send(path: string, bytes: Uint8Array): Promise<void> {
    const { store, files } = this.#parts;
    const key = files.keyOf(path);
    await store.put(key, bytes);
    const stored = await store.get(key);
    if (stored !== null && Buffer.compare(stored, bytes) === 0) return;
    throw new Error(`object ${key} came back changed: ${path} is kept here`);
  }

  async #measure(): Promise<void> {
    const waiting = await this.#waiting();
    this.#waitingBytes = waiting.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Sealed segments that are not in the bucket, the oldest of each shard first. */
  async #waiting(): Promise<readonly LocalSegment[]> {
    const segments = await this.#localSegments();
    return segments.filter(({ stem }) => this.#parts.files.noteOf(stem) === undefined);
  }

  async #dropOldest(): Promise<void> {
    const { files, limits } = this.#parts;
    const segments = await this.#localSegments();
    const stored = segments.filter(({ stem }) => files.noteOf(stem) !== undefined);
    let bytes = stored.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (const { stem, byteLength } of stored) {
      if (bytes <= limits.localBytesMax) return;
      await files.dropLocal(stem);
      bytes -= byteLength;
    }
  }

  async #localSegments(): Promise<readonly LocalSegment[]> {
    const { local } = this.#parts;
    const found: LocalSegment[] = [];
    for (const directory of this.#directories) {
      const names = await local.list(directory);
      const stems = names.flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? []);
      for (const base of stems.slice(0, -SEGMENTS_KEPT)) {
        const stem = `${directory}/${base}`;
        const status = await local.status(`${stem}.log`);
        if (status !== null) found.push({ stem, byteLength: status.byteLength });
      }
    }
    return found;
  }
}

interface LocalSegment {
  /** The path without its ending. */
  readonly stem: string;
  readonly byteLength: number;
}
