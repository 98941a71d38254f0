/**
 * What is known of a segment that is complete, in a file beside it (`.raftseal`), so that a start
 * need not read the segment again, and rot in it does not stop the group. It is durable before the
 * next segment is; when it is missing, damaged or of another file, the segment is read. The
 * segment's checksums are still compared whenever its bytes are read.
 *
 *      "RRS2" | u32 salt of the segment | u32 its bytes | u64 last index
 *      u32 count, that many: u64 term | u64 first index             where terms begin
 *      u32 count, that many: u64 index | u32 position               marks, see log-segment.ts
 *      u32 count, that many: u64 index | u64 term | u32 length | configuration
 *      u32 CRC-32C of everything before
 */
import { crc32c } from '@robustmq/bytes';
import { fileErrorCode, type FileSystem, readWholeFile } from '@robustmq/environment';
import type { LogIndex, MembershipEntry, Term } from '@robustmq/raft';
import { ByteReader, MalformedError, readUint32, writeUint32, writeUint53 } from './byte-reader.ts';
import { encodedConfigurationBytes, readConfiguration, writeConfiguration } from './entry-codec.ts';
import type { LogSegment } from './log-segment.ts';

const MAGIC = 0x52525332;
const FIXED_BYTES = 4 + 4 + 4 + 8 + 3 * 4 + 4;

export type LogSeal = Pick<
  LogSegment,
  'salt' | 'bytes' | 'lastIndex' | 'runs' | 'marks' | 'memberships'
>;

export const SEAL_SUFFIX = '.raftseal';

export function sealPath(segmentPath: string): string {
  return segmentPath.replace(/\.raftlog$/, SEAL_SUFFIX);
}

/** Null when there is none that can be believed. */
export async function readSeal(
  fileSystem: FileSystem,
  segment: { readonly path: string },
): Promise<LogSeal | null> {
  const bytes = await readWholeFile(fileSystem, sealPath(segment.path));
  return bytes && decodeSeal(bytes);
}

/** Writes the seals that are missing. One that can't be written is done without. */
export async function sealAll(
  fileSystem: FileSystem,
  segments: readonly LogSegment[],
): Promise<void> {
  for (const segment of segments) {
    if (segment.hasSeal) continue;
    try {
      await writeSeal(fileSystem, sealPath(segment.path), encodeSeal(segment));
      segment.hasSeal = true;
    } catch (error) {
      if (fileErrorCode(error) === 'UNKNOWN') throw error;
      return;
    }
  }
}

/** The directory is flushed with the segment that comes next. */
async function writeSeal(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  if ((await fileSystem.status(path)) !== null) await fileSystem.unlink(path);
  const file = await fileSystem.open(path, 'create');
  try {
    await file.write(bytes, 0);
    await file.syncData();
  } finally {
    await file.close();
  }
}

function encodeSeal(seal: LogSeal): Uint8Array {
  const { salt, bytes, lastIndex, runs, marks, memberships } = seal;
  let byteCount = FIXED_BYTES + runs.length * 16 + marks.length * 12;
  for (const { configuration } of memberships) {
    byteCount += 20 + encodedConfigurationBytes(configuration);
  }
  const target = new Uint8Array(byteCount);
  let at = writeUint32(target, 0, MAGIC);
  at = writeUint32(target, at, salt);
  at = writeUint32(target, at, bytes);
  at = writeUint53(target, at, lastIndex);
  at = writeUint32(target, at, runs.length);
  for (const { term, first } of runs)
    at = writeUint53(target, writeUint53(target, at, term), first);
  at = writeUint32(target, at, marks.length);
  for (const { index, position } of marks) {
    at = writeUint32(target, writeUint53(target, at, index), position);
  }
  at = writeUint32(target, at, memberships.length);
  for (const { index, term, configuration } of memberships) {
    at = writeUint53(target, writeUint53(target, at, index), term);
    at = writeUint32(target, at, encodedConfigurationBytes(configuration));
    at = writeConfiguration(target, at, configuration);
  }
  writeUint32(target, at, crc32c(target, 0, at));
  return target;
}

function decodeSeal(bytes: Uint8Array): LogSeal | null {
  const end = bytes.length - 4;
  if (end < 4 || readUint32(bytes, end) !== crc32c(bytes, 0, end)) return null;
  const reader = new ByteReader(bytes, 0, end);
  try {
    if (reader.uint32() !== MAGIC) return null;
    const [salt, byteCount] = [reader.uint32(), reader.uint32()];
    const lastIndex = reader.uint53() as LogIndex;
    const runs = listOf(reader, () => {
      const term = reader.uint53() as Term;
      return { term, first: reader.uint53() as LogIndex };
    });
    const marks = listOf(reader, () => {
      const index = reader.uint53();
      return { index, position: reader.uint32() };
    });
    const memberships = listOf(reader, () => readMembership(reader));
    reader.expectEnd();
    return { salt, bytes: byteCount, lastIndex, runs, marks, memberships };
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

function readMembership(reader: ByteReader): MembershipEntry {
  const index = reader.uint53() as LogIndex;
  const term = reader.uint53() as Term;
  reader.uint32();
  return { kind: 'membership', index, term, configuration: readConfiguration(reader) };
}

function listOf<Item>(reader: ByteReader, read: () => Item): Item[] {
  const count = reader.uint32();
  const items: Item[] = [];
  for (let at = 0; at < count; at += 1) items.push(read());
  return items;
}
