/** The files of a checkpoint log. */
import { readWholeFile } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import {
  CHECKPOINT_HEADER_BYTES,
  claimedEntryCount,
  findFrame,
  frameLengthAt,
  parseCheckpointHeader,
} from './checkpoint-frame.ts';

export interface CheckpointSegment {
  readonly number: number;
  readonly path: string;
  bytes: number;
}

const NUMBER_DIGITS = 10;

export function checkpointPath(directory: string, number: number): string {
  return `${directory}/${String(number).padStart(NUMBER_DIGITS, '0')}.checkpoint`;
}

/** The numbers of the segments in a directory, ascending. */
export async function listCheckpoints(
  fileSystem: FileSystem,
  directory: string,
): Promise<number[]> {
  const names = await fileSystem.list(directory);
  const numbers = names
    .filter((name) => /^\d{10}\.checkpoint$/.test(name))
    .map((name) => Number(name.slice(0, NUMBER_DIGITS)));
  return numbers.sort((left, right) => left - right);
}

/** A stretch that fails its checksum. */
export interface FrameDamage {
  readonly position: number;
  /** As far as the damaged header tells. */
  readonly entries: number;
}

/** What a segment holds that can be trusted. */
export interface CheckpointScan {
  readonly content: Uint8Array;
  readonly salt: number | null;
  /** The positions of the whole frames. */
  readonly frames: readonly number[];
  readonly damage: readonly FrameDamage[];
  /** Where the last whole frame ends. */
  readonly after: number;
}

/** Reads a segment and checks every frame. What follows the last whole frame is left to the caller. */
export async function scanCheckpoint(
  fileSystem: FileSystem,
  path: string,
  number: number,
): Promise<CheckpointScan> {
  const content = (await readWholeFile(fileSystem, path)) ?? new Uint8Array(0);
  const salt = parseCheckpointHeader(content, number);
  const frames: number[] = [];
  const damage: FrameDamage[] = [];
  let position = CHECKPOINT_HEADER_BYTES;
  let after = Math.min(position, content.length);
  while (position < content.length) {
    const length = frameLengthAt(content, position, salt);
    if (length > 0) {
      frames.push(position);
      position += length;
      after = position;
      continue;
    }
    const following = findFrame(content, position + 1, salt);
    if (following < 0) break;
    damage.push({ position, entries: claimedEntryCount(content, position) });
    position = following;
  }
  return { content, salt, frames, damage, after };
}
