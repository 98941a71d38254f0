/**
 * A note that a shard was closed in order: everything below an offset was durable in its last segment.
 *
 * Without it, damage in the last batch looks like a write that the power cut short. With it, the
 * loss is told. The note stays true while the segment grows, so an old one does no harm.
 *
 * ```text
 * 0  base offset of the segment  u64     8  next offset  u64     16  CRC-32C of the 16 bytes before
 * ```
 */
import { crc32c } from '@robustmq/bytes';
import { readWholeFile } from '@robustmq/environment';
import type { FileSystem } from '@robustmq/environment';
import { readUint32, readUint64, writeUint32, writeUint64 } from '@robustmq/journal';
import { replaceFile } from '@robustmq/record-log';

const MARK_NAME = 'CLOSED';
const MARK_BYTES = 20;

export interface ClosedMark {
  readonly baseOffset: number;
  readonly next: number;
}

export async function writeClosedMark(
  fileSystem: FileSystem,
  directory: string,
  mark: ClosedMark,
): Promise<void> {
  const bytes = new Uint8Array(MARK_BYTES);
  writeUint64(bytes, 0, mark.baseOffset);
  writeUint64(bytes, 8, mark.next);
  writeUint32(bytes, 16, crc32c(bytes, 0, 16));
  await replaceFile(fileSystem, `${directory}/${MARK_NAME}`, bytes);
}

/** Null when there is none that can be believed. */
export async function readClosedMark(
  fileSystem: FileSystem,
  directory: string,
): Promise<ClosedMark | null> {
  const bytes = await readWholeFile(fileSystem, `${directory}/${MARK_NAME}`);
  if (bytes === null || bytes.length !== MARK_BYTES) return null;
  if (readUint32(bytes, 16) !== crc32c(bytes, 0, 16)) return null;
  return { baseOffset: readUint64(bytes, 0), next: readUint64(bytes, 8) };
}
