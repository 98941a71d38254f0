/** Opens what a checkpoint log left on the disk. */
import type { FileSystem } from '@robustmq/environment';
import { claimedEntryCount, commitOf, entriesOf } from './checkpoint-frame.ts';
import { CheckpointIndex } from './checkpoint-index.ts';
import { checkpointPath, listCheckpoints, scanCheckpoint } from './checkpoint-segment.ts';
import type { CheckpointScan, CheckpointSegment } from './checkpoint-segment.ts';

/** What was found to be wrong. Grows when compaction finds damage later. */
export interface CheckpointRecovery {
  truncatedBytes: number;
  /** Entries in damaged frames, as far as it can be told; older values of their keys may show again. */
  entriesLost: number;
  readonly quarantined: { readonly file: string; readonly reason: string }[];
}

export interface RecoveredCheckpoint {
  readonly segments: CheckpointSegment[];
  readonly index: CheckpointIndex;
  readonly lastCommit: Uint8Array | null;
  readonly recovery: CheckpointRecovery;
  /** Of the last segment; null when there is none, or none to append to. */
  readonly salt: number | null;
}

export async function recoverCheckpoint(
  fileSystem: FileSystem,
  directory: string,
): Promise<RecoveredCheckpoint> {
  const recovery: CheckpointRecovery = { truncatedBytes: 0, entriesLost: 0, quarantined: [] };
  const index = new CheckpointIndex();
  const segments: CheckpointSegment[] = [];
  const numbers = await listCheckpoints(fileSystem, directory);
  let lastCommit: Uint8Array | null = null;
  let salt: number | null = null;
  for (const [i, number] of numbers.entries()) {
    const path = checkpointPath(directory, number);
    const scan = await scanCheckpoint(fileSystem, path, number);
    const isLast = i === numbers.length - 1;
    const damage = damageOf(scan, isLast ? 'last' : 'earlier');
    if (isLast) recovery.truncatedBytes += scan.content.length - scan.after;
    if (damage.length > 0) {
      const reason = `the bytes from ${damage[0]?.position ?? 0} fail their checksum`;
      const file = await quarantineCopy(fileSystem, path, scan.content);
      recovery.quarantined.push({ file, reason });
      for (const { entries } of damage) recovery.entriesLost += entries;
    }
    indexFrames(index, scan, number);
    const lastFrame = scan.frames.at(-1);
    if (lastFrame !== undefined) lastCommit = commitOf(scan.content, lastFrame);
    segments.push({ number, path, bytes: isLast ? scan.after : scan.content.length });
    salt = isLast && damage.length === 0 ? scan.salt : null;
  }
  return { segments, index, lastCommit, recovery, salt };
}

function indexFrames(index: CheckpointIndex, scan: CheckpointScan, segment: number): void {
  for (const frame of scan.frames) {
    for (const { key, position, length, valueStart } of entriesOf(scan.content, frame)) {
      if (valueStart < 0) index.delete(key);
      else index.set(key, { segment, position, length });
    }
  }
}

/** Only the last segment may end torn: the others were flushed to their end before the next began. */
function damageOf(
  scan: CheckpointScan,
  role: 'last' | 'earlier',
): readonly { readonly position: number; readonly entries: number }[] {
  const damage = [...scan.damage];
  if (scan.salt === null && scan.frames.length > 0) damage.push({ position: 0, entries: 0 });
  if (role === 'earlier' && scan.after < scan.content.length) {
    const entries = claimedEntryCount(scan.content, scan.after);
    damage.push({ position: scan.after, entries });
  }
  return damage;
}

/** Keeps a copy of a damaged file beside the log; returns its path. One copy per file is enough. */
export async function quarantineCopy(
  fileSystem: FileSystem,
  path: string,
  content: Uint8Array,
): Promise<string> {
  const slash = path.lastIndexOf('/');
  const directory = `${path.slice(0, slash)}/quarantine`;
  const copyPath = `${directory}${path.slice(slash)}`;
  await fileSystem.makeDirectory(directory);
  if ((await fileSystem.status(copyPath)) !== null) return copyPath;
  const copy = await fileSystem.open(copyPath, 'create');
  try {
    await copy.write(content, 0);
    await copy.syncData();
  } finally {
    await copy.close();
  }
  return copyPath;
}
