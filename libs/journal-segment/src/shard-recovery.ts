/**
 * Opens the directory of one shard: only the last segment is read, so the time to start does not
 * grow with what is stored.
 */
import { readWholeFile } from '@robustmq/environment';
import type { RandomSource } from '@robustmq/environment';
import { GrowingIndex } from '@robustmq/journal';
import type { DamagedRange, Offset, RecoveryReport } from '@robustmq/journal';
import { AppendFile } from '@robustmq/record-log';
import { readClosedMark, writeClosedMark } from './closed-mark.ts';
import {
  SEGMENT_HEADER_BYTES,
  encodeSegmentHeader,
  indexName,
  parseSegmentHeader,
  parseSegmentName,
  segmentName,
} from './segment-file.ts';
import { scanSegment } from './segment-scan.ts';
import { SegmentShard } from './segment-shard.ts';
import type { Segment } from './segment.ts';
import { ShardSegments } from './shard-segments.ts';
import type { SharedStores } from './shard-segments.ts';
import type { SpaceGuard } from './space-guard.ts';

export interface ShardPlace {
  readonly name: string;
  readonly directory: string;
  readonly stores: SharedStores;
  readonly space: SpaceGuard;
  readonly random: RandomSource;
  readonly segmentBytesMax: number;
  /** Bytes of the last segment that a flush has seen; later ones are written again. */
  readonly trustedBytes: number;
}

/** A report that grows when damage is found later. */
interface GrowingReport extends RecoveryReport {
  recordsScanned: number;
  truncatedBytes: number;
  readonly quarantined: { file: string; reason: string; first: Offset; after: Offset }[];
}

export async function openSegmentShard(place: ShardPlace): Promise<SegmentShard> {
  const { directory, stores } = place;
  await stores.fileSystem.makeDirectory(directory);
  const recovery: GrowingReport = { recordsScanned: 0, truncatedBytes: 0, quarantined: [] };
  const list = await findSegments(place);
  const last = list.pop();
  const report = (segment: Segment, damage: DamagedRange, file: Uint8Array): Promise<void> =>
    quarantine(place, recovery, { segment, damage, file });
  const opened = last === undefined ? null : await recoverActive(place, last, recovery);
  const active = opened ?? (await createSegment(place, last?.baseOffset ?? 0));
  list.push(active.segment);
  const shard = new SegmentShard({
    ...place,
    recovery,
    segments: new ShardSegments(list, stores, report),
    file: active.file,
    createSegment: (baseOffset) => createSegment(place, baseOffset),
    markClosed: (mark) => writeClosedMark(stores.fileSystem, directory, mark),
  });
  const damage = active.segment.growing?.damage ?? [];
  if (opened !== null && damage.length > 0) {
    for (const range of damage) await report(opened.segment, range, opened.content);
    // Nothing is added to a damaged file: it is kept as it is.
    await shard.seal();
  }
  return shard;
}

/** The segments by name and size, oldest first, the last one unread. */
async function findSegments(place: ShardPlace): Promise<Segment[]> {
  const { fileSystem } = place.stores;
  const names = await fileSystem.list(place.directory);
  const bases = names.map(parseSegmentName).filter((base) => base !== null);
  bases.sort((left, right) => left - right);
  await removeOrphans(place, names, new Set(bases));
  const list: Segment[] = [];
  for (const [i, baseOffset] of bases.entries()) {
    const path = `${place.directory}/${segmentName(baseOffset)}`;
    const status = await fileSystem.status(path);
    const header = await readHeader(place, path);
    list.push({
      ...emptySegment(place, baseOffset, parseSegmentHeader(header, baseOffset)),
      bytes: status?.byteLength ?? 0,
      after: bases[i + 1] ?? baseOffset,
      growing: null,
    });
  }
  return list;
}

/** Index files whose segment is gone: a trim that was cut short, or a reader that came late. */
async function removeOrphans(
  place: ShardPlace,
  names: readonly string[],
  bases: ReadonlySet<number>,
): Promise<void> {
  for (const name of names) {
    const isOrphan = name.endsWith('.index') && !bases.has(Number.parseInt(name, 10));
    if (isOrphan) await place.stores.fileSystem.unlink(`${place.directory}/${name}`);
  }
}

async function readHeader(place: ShardPlace, path: string): Promise<Uint8Array> {
  const file = await place.stores.fileSystem.open(path, 'read');
  try {
    const header = new Uint8Array(SEGMENT_HEADER_BYTES);
    const length = await file.read(header, 0);
    return header.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** Null when the file never got its header onto the disk: then it never held a record either. */
async function recoverActive(
  place: ShardPlace,
  found: Segment,
  recovery: GrowingReport,
): Promise<{ segment: Segment; file: AppendFile; content: Uint8Array } | null> {
  const { fileSystem } = place.stores;
  const content = (await readWholeFile(fileSystem, found.path)) ?? new Uint8Array(0);
  const { baseOffset, salt } = found;
  const scan = scanSegment(content, { baseOffset, salt, role: 'active' });
  const { index } = scan;
  const closed = await readClosedMark(fileSystem, place.directory);
  const missing = closed?.baseOffset === baseOffset ? closed.next - baseOffset : 0;
  const isTailLost = index.recordsAfter < missing;
  if (isTailLost) index.addDamage(missing, scan.bytes);
  // A damaged tail is kept, a torn one is cut off.
  const bytes = isTailLost ? content.length : scan.bytes;
  if (!isTailLost && index.batchCount === 0 && salt === null) {
    await fileSystem.unlink(found.path);
    recovery.truncatedBytes += content.length;
    return null;
  }
  if (salt === null) index.damage.push({ first: 0, after: 0, position: 0 });
  recovery.recordsScanned += index.recordsAfter;
  recovery.truncatedBytes += Math.max(0, content.length - bytes);
  if (bytes > place.trustedBytes) await rewrite(place, found.path, content.subarray(0, bytes));
  const file = await AppendFile.open(fileSystem, found.path, bytes);
  const after = baseOffset + index.recordsAfter;
  return { segment: { ...found, bytes, after, growing: index }, file, content };
}

/**
 * After a failed flush the system may hold pages that it takes for written and that the disk never
 * got. Writing them once more makes it try again, and this time the flush is believed.
 */
async function rewrite(place: ShardPlace, path: string, content: Uint8Array): Promise<void> {
  const file = await place.stores.fileSystem.open(path, 'write');
  try {
    await file.write(content.subarray(place.trustedBytes), place.trustedBytes);
  } finally {
    await file.close();
  }
}

async function createSegment(
  place: ShardPlace,
  baseOffset: number,
): Promise<{ segment: Segment; file: AppendFile }> {
  const salt = place.random.uint32();
  const segment = emptySegment(place, baseOffset, salt);
  const header = encodeSegmentHeader(baseOffset, salt);
  const file = await AppendFile.create(place.stores.fileSystem, segment.path, header);
  return { segment, file };
}

function emptySegment(place: ShardPlace, baseOffset: number, salt: number | null): Segment {
  return {
    baseOffset,
    path: `${place.directory}/${segmentName(baseOffset)}`,
    indexPath: `${place.directory}/${indexName(baseOffset)}`,
    salt,
    bytes: SEGMENT_HEADER_BYTES,
    after: baseOffset,
    growing: new GrowingIndex(baseOffset),
    cached: new Map(),
  };
}

/** Notes the damage and keeps a copy of the file, so that it can be looked into later. */
async function quarantine(
  place: ShardPlace,
  recovery: GrowingReport,
  found: { readonly segment: Segment; readonly damage: DamagedRange; readonly file: Uint8Array },
): Promise<void> {
  const { segment, damage, file } = found;
  const { fileSystem } = place.stores;
  const directory = `${place.directory}/quarantine`;
  const copyPath = `${directory}/${segmentName(segment.baseOffset)}`;
  await fileSystem.makeDirectory(directory);
  if ((await fileSystem.status(copyPath)) === null) {
    const copy = await fileSystem.open(copyPath, 'create');
    try {
      await copy.write(file, 0);
      await copy.syncData();
    } finally {
      await copy.close();
    }
  }
  recovery.quarantined.push({
    file: copyPath,
    reason: `the bytes from ${damage.position} of ${segment.path} fail their checksum`,
    first: (segment.baseOffset + damage.first) as Offset,
    after: (segment.baseOffset + damage.after) as Offset,
  });
}
