/**
 * A snapshot file: the state machine's content at one index, on its way to or from another node.
 * Named by its last included index (16 digits, `.snapshot`).
 *
 *      "RRS1" | u32 length of the metadata | metadata (snapshot-metadata.ts)
 *      chunks: u32 length | u32 CRC-32C of the data, seeded with the number of the chunk | data
 *      end:    u32 zero | u64 length of the content | u32 CRC-32C of these twelve bytes
 *
 * All chunks but the last one hold 64 KiB, so that any offset of the content can be found. A file
 * is written under another name, flushed and renamed: under its own name it is whole.
 */
import { crc32c } from '@robustmq/bytes';
import type { FileSystem, OpenFile } from '@robustmq/environment';
import type { SnapshotMetadata } from '@robustmq/raft';
import { readUint32, writeUint32, writeUint53 } from './byte-reader.ts';
import { decodeMetadata, encodeMetadata } from './snapshot-metadata.ts';

const MAGIC = 0x52525331;
const CHUNK_BYTES = 64 * 1024;
const CHUNK_HEADER_BYTES = 8;
const END_BYTES = 16;

export function snapshotName(index: number): string {
  return `${String(index).padStart(16, '0')}.snapshot`;
}

/** Null when it is not the name of a snapshot file. */
export function parseSnapshotName(name: string): number | null {
  return /^\d{16}\.snapshot$/.test(name) ? Number.parseInt(name, 10) : null;
}

export interface SnapshotPlace {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly groupId: number;
}

export class SnapshotWriter {
  readonly metadata: SnapshotMetadata;
  readonly #place: SnapshotPlace;
  readonly #temporary: string;
  readonly #file: OpenFile;
  #position: number;
  #chunk = new Uint8Array(CHUNK_HEADER_BYTES + CHUNK_BYTES);
  #chunkBytes = 0;
  #chunks = 0;
  #contentBytes = 0;
  #isAborted = false;

  private constructor(
    place: SnapshotPlace,
    metadata: SnapshotMetadata,
    opened: { readonly file: OpenFile; readonly temporary: string; readonly position: number },
  ) {
    this.#place = place;
    this.metadata = metadata;
    this.#file = opened.file;
    this.#temporary = opened.temporary;
    this.#position = opened.position;
  }

  /** @param suffix  of the name until it is whole: one writer at a time has it */
  static async create(
    place: SnapshotPlace,
    metadata: SnapshotMetadata,
    suffix: 'own' | 'incoming',
  ): Promise<SnapshotWriter> {
    const { fileSystem, directory, groupId } = place;
    const temporary = `${directory}/${suffix}.snapshot.tmp`;
    if ((await fileSystem.status(temporary)) !== null) await fileSystem.unlink(temporary);
    const encoded = encodeMetadata(groupId, metadata);
    const header = new Uint8Array(8 + encoded.length);
    writeUint32(header, 0, MAGIC);
    writeUint32(header, 4, encoded.length);
    header.set(encoded, 8);
    const file = await fileSystem.open(temporary, 'create');
    const writer = new SnapshotWriter(place, metadata, {
      file,
      temporary,
      position: header.length,
    });
    await writer.#orAbort(() => file.write(header, 0));
    return writer;
  }

  /** Of the content so far. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  async append(data: Uint8Array): Promise<void> {
    this.#contentBytes += data.length;
    for (let at = 0; at < data.length; ) {
      const count = Math.min(CHUNK_BYTES - this.#chunkBytes, data.length - at);
      this.#chunk.set(data.subarray(at, at + count), CHUNK_HEADER_BYTES + this.#chunkBytes);
      this.#chunkBytes += count;
      at += count;
      if (this.#chunkBytes === CHUNK_BYTES) await this.#orAbort(() => this.#writeChunk());
    }
  }

  /** Durable under its own name on return. */
  async finish(): Promise<void> {
    const { fileSystem, directory } = this.#place;
    await this.#orAbort(async () => {
      if (this.#chunkBytes > 0) await this.#writeChunk();
      const end = new Uint8Array(END_BYTES);
      writeUint53(end, 4, this.#contentBytes);
      writeUint32(end, 12, crc32c(end, 0, 12));
      await this.#file.write(end, this.#position);
      await this.#file.syncData();
    });
    await this.#file.close();
    const name = snapshotName(this.metadata.last.index);
    await fileSystem.rename(this.#temporary, `${directory}/${name}`);
    await fileSystem.syncDirectory(directory);
  }

  /** Removes what was written. Idempotent. */
  async abort(): Promise<void> {
    if (this.#isAborted) return;
    this.#isAborted = true;
    await this.#file.close();
    await this.#place.fileSystem.unlink(this.#temporary);
  }

  async #writeChunk(): Promise<void> {
    const end = CHUNK_HEADER_BYTES + this.#chunkBytes;
    writeUint32(this.#chunk, 0, this.#chunkBytes);
    writeUint32(this.#chunk, 4, crc32c(this.#chunk, CHUNK_HEADER_BYTES, end, this.#chunks));
    await this.#file.write(this.#chunk.subarray(0, end), this.#position);
    this.#position += end;
    this.#chunks += 1;
    this.#chunkBytes = 0;
  }

  async #orAbort(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }
}

/** The file is not what was written. */
export class SnapshotDamaged extends Error {
  override readonly name = 'SnapshotDamaged';
}

export class SnapshotReader {
  readonly metadata: SnapshotMetadata;
  readonly contentBytes: number;
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #firstChunk: number;

  private constructor(
    file: OpenFile,
    path: string,
    found: {
      readonly metadata: SnapshotMetadata;
      readonly contentBytes: number;
      readonly firstChunk: number;
    },
  ) {
    this.#file = file;
    this.#path = path;
    this.metadata = found.metadata;
    this.contentBytes = found.contentBytes;
    this.#firstChunk = found.firstChunk;
  }

  /** @throws SnapshotDamaged */
  static async open(place: SnapshotPlace, index: number): Promise<SnapshotReader> {
    const path = `${place.directory}/${snapshotName(index)}`;
    const file = await place.fileSystem.open(path, 'read');
    try {
      const found = await readFrame(file, path, place.groupId);
      if (found.metadata.last.index !== index) throw damaged(path, 'another index');
      return new SnapshotReader(file, path, found);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The bytes from `offset` on, `bytesMax` at most. @throws SnapshotDamaged */
  async read(offset: number, bytesMax: number): Promise<Uint8Array> {
    const after = Math.min(this.contentBytes, offset + bytesMax);
    const bytes = new Uint8Array(Math.max(0, after - offset));
    for (let at = offset; at < after; ) {
      const number = Math.floor(at / CHUNK_BYTES);
      const chunk = await this.#readChunk(number);
      const part = chunk.subarray(at - number * CHUNK_BYTES, after - number * CHUNK_BYTES);
      bytes.set(part, at - offset);
      at += part.length;
    }
    return bytes;
  }

  async *content(): AsyncIterable<Uint8Array> {
    for (let offset = 0; offset < this.contentBytes; offset += CHUNK_BYTES) {
      yield await this.#readChunk(offset / CHUNK_BYTES);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #readChunk(number: number): Promise<Uint8Array> {
    const length = Math.min(CHUNK_BYTES, this.contentBytes - number * CHUNK_BYTES);
    const bytes = new Uint8Array(CHUNK_HEADER_BYTES + length);
    const position = this.#firstChunk + number * (CHUNK_HEADER_BYTES + CHUNK_BYTES);
    const got = await this.#file.read(bytes, position);
    const sum = crc32c(bytes, CHUNK_HEADER_BYTES, bytes.length, number);
    if (got < bytes.length || readUint32(bytes, 0) !== length || readUint32(bytes, 4) !== sum) {
      throw damaged(this.#path, `the chunk at byte ${position} fails its checksum`);
    }
    return bytes.subarray(CHUNK_HEADER_BYTES);
  }
}

async function readFrame(
  file: OpenFile,
  path: string,
  groupId: number,
): Promise<{ metadata: SnapshotMetadata; contentBytes: number; firstChunk: number }> {
  const length = await file.byteLength();
  const start = new Uint8Array(8);
  const end = new Uint8Array(END_BYTES);
  if (length < start.length + END_BYTES) throw damaged(path, 'it is too short');
  await file.read(start, 0);
  await file.read(end, length - END_BYTES);
  const metadataBytes = readUint32(start, 4);
  if (readUint32(start, 0) !== MAGIC || metadataBytes > length) throw damaged(path, 'its header');
  const encoded = new Uint8Array(metadataBytes);
  await file.read(encoded, 8);
  const metadata = decodeMetadata(encoded, groupId);
  const isEndWhole = readUint32(end, 0) === 0 && readUint32(end, 12) === crc32c(end, 0, 12);
  if (metadata === null || !isEndWhole) throw damaged(path, 'its metadata or its end');
  const contentBytes = readUint32(end, 4) * 0x1_0000_0000 + readUint32(end, 8);
  const firstChunk = 8 + metadataBytes;
  const chunks = Math.ceil(contentBytes / CHUNK_BYTES);
  const expected = firstChunk + contentBytes + chunks * CHUNK_HEADER_BYTES + END_BYTES;
  if (length !== expected) throw damaged(path, `${length} bytes instead of ${expected}`);
  return { metadata, contentBytes, firstChunk };
}

function damaged(path: string, detail: string): SnapshotDamaged {
  return new SnapshotDamaged(`${path} is damaged: ${detail}`);
}
