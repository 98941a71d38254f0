/**
 * The indexes of sealed segments: in a file beside the segment, loaded when a reader needs them,
 * kept in memory up to a limit. A file that is absent or damaged is written anew from the segment.
 */
import { fileErrorCode, readWholeFile } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import { PackedIndex } from '@robustmq/journal';
import type { GrowingIndex } from '@robustmq/journal';
import { scanSegment } from './segment-scan.ts';
import type { Segment } from './segment.ts';

/** Told when a segment that had to be scanned shows damage; `file` is its whole content. */
export type DamageReport = (
  segment: Segment,
  index: GrowingIndex,
  file: Uint8Array,
) => Promise<void>;

export class IndexStore {
  readonly #fileSystem: FileSystem;
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #loaded = new Map<Segment, PackedIndex>();
  readonly #loading = new Map<Segment, Promise<PackedIndex>>();
  #bytes = 0;

  constructor(fileSystem: FileSystem, bytesMax: number) {
    this.#fileSystem = fileSystem;
    this.#bytesMax = bytesMax;
  }

  /** The index if it is in memory. */
  find(segment: Segment): PackedIndex | undefined {
    const index = this.#loaded.get(segment);
    if (index !== undefined) {
      this.#loaded.delete(segment);
      this.#loaded.set(segment, index);
    }
    return index;
  }

  /** The index from its file, or else from the segment. Readers that ask at once share one load. */
  load(segment: Segment, report: DamageReport): Promise<PackedIndex> {
    let loading = this.#loading.get(segment);
    if (loading === undefined) {
      loading = this.#read(segment, report).finally(() => this.#loading.delete(segment));
      this.#loading.set(segment, loading);
    }
    return loading;
  }

  /** Packs the index of a segment that is being sealed and writes its file, which may fail: it is rebuilt. */
  async seal(segment: Segment, growing: GrowingIndex): Promise<void> {
    const index = PackedIndex.pack(growing, segment.baseOffset, segment.bytes);
    this.#keep(segment, index);
    await this.#write(segment, index);
  }

  /** Forgets a segment that is gone. */
  drop(segment: Segment): void {
    const index = this.#loaded.get(segment);
    if (index === undefined) return;
    this.#loaded.delete(segment);
    this.#bytes -= index.byteLength;
  }

  async #read(segment: Segment, report: DamageReport): Promise<PackedIndex> {
    const bytes = await readWholeFile(this.#fileSystem, segment.indexPath);
    let index = bytes && PackedIndex.open(bytes, segment.baseOffset, segment.bytes);
    if (index === null) {
      index = await this.#rebuild(segment, report);
      await this.#write(segment, index);
    }
    this.#keep(segment, index);
    return index;
  }

  async #rebuild(segment: Segment, report: DamageReport): Promise<PackedIndex> {
    const file = (await readWholeFile(this.#fileSystem, segment.path)) ?? new Uint8Array(0);
    const { baseOffset, salt } = segment;
    const { index, bytes } = scanSegment(file, { baseOffset, salt, role: 'sealed' });
    const missing = segment.after - baseOffset;
    if (index.recordsAfter < missing) index.addDamage(missing, bytes);
    if (index.damage.length > 0) await report(segment, index, file);
    return PackedIndex.pack(index, baseOffset, segment.bytes);
  }

  #keep(segment: Segment, index: PackedIndex): void {
    this.drop(segment);
    this.#loaded.set(segment, index);
    this.#bytes += index.byteLength;
    for (const [oldest] of this.#loaded) {
      if (this.#bytes <= this.#bytesMax || oldest === segment) break;
      this.drop(oldest);
    }
  }

  /** Not flushed: a file that a crash leaves torn fails its checksum and is written anew. */
  async #write(segment: Segment, index: PackedIndex): Promise<void> {
    try {
      if ((await this.#fileSystem.status(segment.indexPath)) !== null) {
        await this.#fileSystem.unlink(segment.indexPath);
      }
      const file = await this.#fileSystem.open(segment.indexPath, 'create');
      try {
        await file.write(index.bytes, 0);
      } finally {
        await file.close();
      }
    } catch (error) {
      // Only the file is missing: the index is in memory, and the next start rebuilds it.
      if (fileErrorCode(error) === 'UNKNOWN') throw error;
    }
  }
}
