/**
 * Looks at a group's log while nobody has it open, and changes nothing: for commands that print or check
 * a directory. Every batch is read and its checksum checked, those that were summed up included.
 */
import type { FileSystem, OpenFile } from '@robustmq/environment';
import type { Entry } from '@robustmq/raft';
import {
  parseSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from './log-format.ts';
import { scanSegment } from './segment-scan.ts';

/** One file of the log. */
export interface InspectedSegment {
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
  /** Raft log indexes of the entries that still count; 0 for none. Later segments may replace some. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Behind the last whole batch, as a loss of power leaves them: the next start cuts them off. */
  readonly tornBytes: number;
  /** null: every checksum holds. */
  readonly damage: { readonly position: number; readonly detail: string } | null;
}

/**
 * @param onEntry  called for each entry that counts, in order; its data are a view. Whether one near the end
 *   was committed is not in the log
 * @throws FileSystemError when a file can't be read
 */
export async function inspectLog(
  fileSystem: FileSystem,
  directory: string,
  onEntry: (entry: Entry) => void,
): Promise<readonly InspectedSegment[]> {
  const names = await fileSystem.list(directory);
  const numbers = names.map(parseSegmentName).filter((number) => number !== null);
  numbers.sort((left, right) => left - right);
  const segments: OpenedSegment[] = [];
  for (const number of numbers) {
    const path = `${directory}/${segmentName(number)}`;
    segments.push({ number, path, header: await readHeader(fileSystem, path, number) });
  }
  const inspected: InspectedSegment[] = [];
  for (const [at, segment] of segments.entries()) {
    const before = inspected.at(-1);
    const isMissing = before !== undefined && before.number + 1 !== segment.number;
    const found = await inspectSegment(fileSystem, segment, {
      role: at === segments.length - 1 ? 'last' : 'sealed',
      lastKept: lastKept(segments.slice(at + 1)),
      onEntry,
    });
    const detail = `segment ${segment.number - 1} is missing before it`;
    inspected.push(isMissing ? { ...found, damage: { position: 0, detail } } : found);
  }
  return inspected;
}

interface OpenedSegment {
  readonly number: number;
  readonly path: string;
  /** null: it is not whole. */
  readonly header: SegmentHeader | null;
}

/** The last index that the segments behind let stand. */
function lastKept(behind: readonly OpenedSegment[]): number {
  let kept = Number.POSITIVE_INFINITY;
  for (const { header } of behind) {
    if (header === null) continue;
    kept = Math.min(kept, header.kind === 'resets' ? 0 : header.previous.index);
  }
  return kept;
}

async function readHeader(
  fileSystem: FileSystem,
  path: string,
  number: number,
): Promise<SegmentHeader | null> {
  return withFile(fileSystem, path, async (file) => {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const header = parseSegmentHeader(bytes.subarray(0, await file.read(bytes, 0)));
    return header?.number === number ? header : null;
  });
}

async function inspectSegment(
  fileSystem: FileSystem,
  { number, path, header }: OpenedSegment,
  how: {
    readonly role: 'last' | 'sealed';
    readonly lastKept: number;
    readonly onEntry: (entry: Entry) => void;
  },
): Promise<InspectedSegment> {
  return withFile(fileSystem, path, async (file) => {
    const bytes = await file.byteLength();
    const place = { number, path, bytes };
    if (header === null) {
      const isTorn = how.role === 'last' && bytes <= SEGMENT_HEADER_BYTES;
      const nothing = { ...place, firstIndex: 0, lastIndex: 0 };
      if (isTorn) return { ...nothing, tornBytes: bytes, damage: null };
      const damage = { position: 0, detail: 'the header fails its checksum' };
      return { ...nothing, tornBytes: 0, damage };
    }
    let firstIndex = 0;
    let lastIndex = 0;
    const end = await scanSegment(file, {
      salt: header.salt,
      role: how.role,
      onBatch: ({ entries }) => {
        for (const entry of entries) {
          if (entry.index > how.lastKept) break;
          if (firstIndex === 0) firstIndex = entry.index;
          lastIndex = entry.index;
          how.onEntry(entry);
        }
      },
    });
    const isDamaged = end.kind === 'damaged';
    const detail = 'the bytes fail their checksum and are no torn tail';
    return {
      ...place,
      firstIndex,
      lastIndex,
      tornBytes: isDamaged ? 0 : bytes - end.position,
      damage: isDamaged ? { position: end.position, detail } : null,
    };
  });
}

async function withFile<Result>(
  fileSystem: FileSystem,
  path: string,
  use: (file: OpenFile) => Promise<Result>,
): Promise<Result> {
  const file = await fileSystem.open(path, 'read');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
