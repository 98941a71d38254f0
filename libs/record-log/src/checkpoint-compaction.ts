/**
 * Moves the live entries of the oldest segment to the tail, a bounded amount per write, so that
 * the segment can be removed. Removals in it are dropped: nothing older is left that they hide.
 */
import type { FileSystem } from '@robustmq/environment';
import { entriesOf } from './checkpoint-frame.ts';
import type { CheckpointEntry } from './checkpoint-frame.ts';
import type { CheckpointIndex } from './checkpoint-index.ts';
import { scanCheckpoint } from './checkpoint-segment.ts';
import type { CheckpointScan, CheckpointSegment } from './checkpoint-segment.ts';

/** A step also ends after looking at this many times the bytes that it may move. */
const LOOKED_AT_FACTOR = 8;

export class CheckpointCompaction {
  readonly segment: CheckpointSegment;
  readonly scan: CheckpointScan;
  #nextFrame = 0;
  /** Entries of the next frame that are done. */
  #entriesDone = 0;

  private constructor(segment: CheckpointSegment, scan: CheckpointScan) {
    this.segment = segment;
    this.scan = scan;
  }

  /** Holds the segment's bytes in memory until it is finished. */
  static async start(
    fileSystem: FileSystem,
    segment: CheckpointSegment,
  ): Promise<CheckpointCompaction> {
    return new CheckpointCompaction(
      segment,
      await scanCheckpoint(fileSystem, segment.path, segment.number),
    );
  }

  /** Whether every frame was looked at; the segment can go once what was taken is durable. */
  get isFinished(): boolean {
    return this.#nextFrame >= this.scan.frames.length;
  }

  /**
   * The next live entries, about `bytesMax` of them. They must be written before the next step; if
   * the write fails, `rewind` to the mark that was taken before.
   */
  take(index: CheckpointIndex, bytesMax: number): CheckpointEntry[] {
    const { content, frames } = this.scan;
    const taken: CheckpointEntry[] = [];
    let bytes = 0;
    let lookedAt = 0;
    while (!this.isFinished) {
      const frame = frames[this.#nextFrame] as number;
      let number = 0;
      for (const { key, position, length, valueStart } of entriesOf(content, frame)) {
        number += 1;
        if (number <= this.#entriesDone) continue;
        if (bytes >= bytesMax || lookedAt >= bytesMax * LOOKED_AT_FACTOR) return taken;
        this.#entriesDone = number;
        lookedAt += length;
        if (valueStart < 0 || !index.isLive(key, this.segment.number, position)) continue;
        taken.push({ key, value: content.subarray(valueStart, position + length) });
        bytes += length;
      }
      this.#nextFrame += 1;
      this.#entriesDone = 0;
    }
    return taken;
  }

  mark(): { readonly frame: number; readonly entry: number } {
    return { frame: this.#nextFrame, entry: this.#entriesDone };
  }

  rewind(mark: { readonly frame: number; readonly entry: number }): void {
    this.#nextFrame = mark.frame;
    this.#entriesDone = mark.entry;
  }
}
