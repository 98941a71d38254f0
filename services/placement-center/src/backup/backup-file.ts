/**
 * A backup as bytes, the same on the wire and in a file:
 *
 *     "RMQPBAK1"   4 bytes length + JSON header   (4 bytes length + piece)…   4 bytes 0   SHA-256
 *
 * Numbers are big-endian. The digest covers everything before it, so that a file that was cut off or
 * changed is known before anything of it is used.
 */
import { createHash } from 'node:crypto';
import type { FileSystem, OpenFile } from '@robustmq/environment';
import { PlacementCenterError } from '../placement-center-error.ts';

const MAGIC = new TextEncoder().encode('RMQPBAK1');
const DIGEST_BYTES = 32;
const PIECE_BYTES_MAX = 64 * 1024 * 1024;

export interface BackupHeader {
  readonly clusterName: string;
  readonly clusterId: string;
  /** Of the store. */
  readonly revision: number;
  /** Of the Raft log of the cluster that was backed up. */
  readonly index: number;
  /** Of the software that wrote it. */
  readonly version: string;
}

/** The bytes of a backup, in pieces as large as those of the content. */
export async function* backupBytes(
  header: BackupHeader,
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const digest = createHash('sha256');
  const hashed = (bytes: Uint8Array): Uint8Array => {
    digest.update(bytes);
    return bytes;
  };
  yield hashed(MAGIC);
  yield hashed(framed(new TextEncoder().encode(JSON.stringify(header))));
  for await (const piece of content) if (piece.length > 0) yield hashed(framed(piece));
  yield hashed(new Uint8Array(4));
  yield digest.digest();
}

function framed(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, 4);
  return frame;
}

/** A file whose digest was right when it was opened. */
export interface OpenedBackup {
  readonly header: BackupHeader;
  /** Read once. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Reads the whole file once to check it. @throws PlacementCenterError PLACEMENT_CENTER_BACKUP */
export async function openBackupFile(fileSystem: FileSystem, path: string): Promise<OpenedBackup> {
  if ((await fileSystem.status(path)) === null) throw damaged(path, 'there is no such file');
  const file = await fileSystem.open(path, 'read');
  try {
    await checkDigest(file, path);
    const header = await readHeader(file, path);
    return { header: header.value, content: pieces(fileSystem, path, header.after) };
  } finally {
    await file.close();
  }
}

async function checkDigest(file: OpenFile, path: string): Promise<void> {
  const length = await file.byteLength();
  if (length < MAGIC.length + 8 + DIGEST_BYTES) throw damaged(path, 'it is too short');
  const magic = await readExactly(file, 0, MAGIC.length);
  if (!magic.every((byte, at) => byte === MAGIC[at])) {
    throw damaged(path, 'it is no backup of a placement center');
  }
  const digest = createHash('sha256');
  const buffer = new Uint8Array(1024 * 1024);
  const end = length - DIGEST_BYTES;
  for (let at = 0; at < end; ) {
    const read = await file.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (read === 0) throw damaged(path, 'it became shorter while it was read');
    digest.update(buffer.subarray(0, read));
    at += read;
  }
  const expected = await readExactly(file, end, DIGEST_BYTES);
  if (digest.digest().equals(expected)) return;
  throw damaged(path, 'its checksum is wrong: it was cut off or changed');
}

async function readHeader(
  file: OpenFile,
  path: string,
): Promise<{ readonly value: BackupHeader; readonly after: number }> {
  const bytes = await readFrame(file, MAGIC.length, path);
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as BackupHeader;
    return { value, after: MAGIC.length + 4 + bytes.length };
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path, 'its header is not readable');
    throw error;
  }
}

async function* pieces(
  fileSystem: FileSystem,
  path: string,
  start: number,
): AsyncIterable<Uint8Array> {
  const file = await fileSystem.open(path, 'read');
  try {
    for (let at = start; ; ) {
      const piece = await readFrame(file, at, path);
      if (piece.length === 0) return;
      yield piece;
      at += 4 + piece.length;
    }
  } finally {
    await file.close();
  }
}

async function readFrame(file: OpenFile, at: number, path: string): Promise<Uint8Array> {
  const head = await readExactly(file, at, 4);
  const length = new DataView(head.buffer).getUint32(0);
  if (length > PIECE_BYTES_MAX) throw damaged(path, 'a piece is longer than this program writes');
  return readExactly(file, at + 4, length);
}

async function readExactly(file: OpenFile, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const read = await file.read(bytes, at);
  if (read === length) return bytes;
  throw new PlacementCenterError('PLACEMENT_CENTER_BACKUP', 'the backup file ends too early');
}

function damaged(path: string, detail: string): PlacementCenterError {
  return new PlacementCenterError(
    'PLACEMENT_CENTER_BACKUP',
    `${path} can't be restored: ${detail}`,
  );
}
