/**
 * The file `snapshot` of a group: what its newest snapshot covers. The content is the state
 * machine's own; see snapshot-file.ts for the files that carry it to other nodes.
 *
 *      "RRM1" | u32 group | u64 last term | u64 last index | configuration | u32 CRC-32C
 */
import { crc32c } from '@robustmq/bytes';
import { type FileSystem, readWholeFile } from '@robustmq/environment';
import type { SnapshotMetadata } from '@robustmq/raft';
import { replaceFile } from '@robustmq/record-log';
import { ByteReader, MalformedError, readUint32, writeUint32 } from './byte-reader.ts';
import {
  encodedConfigurationBytes,
  ENTRY_ID_BYTES,
  readConfiguration,
  readEntryId,
  writeConfiguration,
  writeEntryId,
} from './entry-codec.ts';
import { corrupt } from './log-recovery.ts';

const MAGIC = 0x52524d31;
export const METADATA_FILE = 'snapshot';

/** Durable on return. */
export async function writeSnapshotMetadata(
  place: { readonly fileSystem: FileSystem; readonly directory: string },
  groupId: number,
  metadata: SnapshotMetadata,
): Promise<void> {
  const path = `${place.directory}/${METADATA_FILE}`;
  await replaceFile(place.fileSystem, path, encodeMetadata(groupId, metadata));
}

/** Null when the group has none yet. @throws RaftError RAFT_LOG_CORRUPT */
export async function readSnapshotMetadata(
  place: { readonly fileSystem: FileSystem; readonly directory: string },
  groupId: number,
): Promise<SnapshotMetadata | null> {
  const path = `${place.directory}/${METADATA_FILE}`;
  const bytes = await readWholeFile(place.fileSystem, path);
  if (bytes === null) return null;
  const metadata = decodeMetadata(bytes, groupId);
  if (metadata === null) throw corrupt(path, 0, `it holds no snapshot of group ${groupId}`);
  return metadata;
}

export function encodeMetadata(groupId: number, metadata: SnapshotMetadata): Uint8Array {
  const { last, configuration } = metadata;
  const bytes = new Uint8Array(12 + ENTRY_ID_BYTES + encodedConfigurationBytes(configuration));
  let at = writeUint32(bytes, 0, MAGIC);
  at = writeUint32(bytes, at, groupId);
  at = writeConfiguration(bytes, writeEntryId(bytes, at, last), configuration);
  writeUint32(bytes, at, crc32c(bytes, 0, at));
  return bytes;
}

/** Null when the bytes are not whole, or of another group. */
export function decodeMetadata(bytes: Uint8Array, groupId: number): SnapshotMetadata | null {
  const end = bytes.length - 4;
  if (end < 8 || readUint32(bytes, end) !== crc32c(bytes, 0, end)) return null;
  const reader = new ByteReader(bytes, 0, end);
  try {
    if (reader.uint32() !== MAGIC || reader.uint32() !== groupId) return null;
    const last = readEntryId(reader);
    const configuration = readConfiguration(reader);
    reader.expectEnd();
    return { last, configuration };
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}
