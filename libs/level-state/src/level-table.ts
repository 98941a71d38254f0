/**
 * A table of LevelDB: are all of its blocks what was written?
 *
 *      file     data blocks, filter block, metaindex block, index block, footer (48)
 *      block    content, type (1; 0 is plain), checksum of both (4)
 *      footer   place of the metaindex, place of the index, zeros, magic number (8)
 *
 * The binding has no switch that makes LevelDB look at checksums on every read, so tables are looked
 * at whole before the database is opened. They are written without compression for that.
 *
 * Source: LevelDB's documentation, table_format.md.
 */
import { LevelBytes, LevelFormatError } from './level-bytes.ts';
import { maskedCrc32c } from './level-log.ts';

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
const TRAILER_BYTES = 5;
const PLAIN = 0;

interface BlockPlace {
  readonly offset: number;
  readonly length: number;
}

/** @throws LevelFormatError naming the byte at which it is damaged */
export function checkTable(file: Uint8Array): void {
  const footer = file.length - FOOTER_BYTES;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (footer < 0 || view.getBigUint64(file.length - 8, true) !== MAGIC) {
    throw new LevelFormatError('it does not end as a table ends');
  }
  const places = new LevelBytes(file, footer, file.length - 8);
  const metaindex = placeFrom(places);
  const index = placeFrom(places);
  for (const list of [metaindex, index]) {
    checkBlock(file, list);
    for (const place of placesIn(file, list)) checkBlock(file, place);
  }
}

function placeFrom(bytes: LevelBytes): BlockPlace {
  const offset = bytes.varint();
  return { offset, length: bytes.varint() };
}

function checkBlock(file: Uint8Array, { offset, length }: BlockPlace): void {
  const after = offset + length;
  if (after + TRAILER_BYTES > file.length - FOOTER_BYTES) {
    throw new LevelFormatError(`the block at byte ${offset} reaches past the end`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (maskedCrc32c(file, offset, after + 1) !== view.getUint32(after + 1, true)) {
    throw new LevelFormatError(`the checksum of the block at byte ${offset} does not match`);
  }
}

/** The places that a list of blocks names: the value of each of its entries. */
function* placesIn(file: Uint8Array, { offset, length }: BlockPlace): Iterable<BlockPlace> {
  if (file[offset + length] !== PLAIN) {
    throw new LevelFormatError(`the block at byte ${offset} is compressed`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const restarts = view.getUint32(offset + length - 4, true);
  const after = offset + length - 4 - restarts * 4;
  if (after < offset) throw new LevelFormatError(`the block at byte ${offset} has no entries`);
  const entries = new LevelBytes(file, offset, after);
  while (!entries.isAtEnd) {
    entries.varint(); // bytes shared with the key before
    const keyRest = entries.varint();
    const valueLength = entries.varint();
    entries.take(keyRest);
    const value = entries.take(valueLength);
    yield placeFrom(new LevelBytes(value, 0, value.length));
  }
}
