/** The manifest of LevelDB: which tables are part of the database, and from which log on it continues. */
import { LevelBytes, LevelFormatError } from './level-bytes.ts';

export interface LevelManifest {
  /** Number of each live table to its length in bytes. */
  readonly tables: ReadonlyMap<number, number>;
  /** Logs with a lower number are tables already; 0 before the first. */
  readonly logNumber: number;
}

/** What an edit says, by its tag. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;
const COMPACTION_POINTER = 5;
const TABLE_GONE = 6;
const TABLE_NEW = 7;
const PREVIOUS_LOG_NUMBER = 9;

/**
 * @param edits  the records of the manifest, in order
 * @throws LevelFormatError
 */
export function manifestOf(edits: readonly Uint8Array[]): LevelManifest {
  const tables = new Map<number, number>();
  let logNumber = 0;
  for (const edit of edits) {
    const bytes = new LevelBytes(edit, 0, edit.length);
    while (!bytes.isAtEnd) {
      const tag = bytes.varint();
      switch (tag) {
        case COMPARATOR:
          bytes.slice();
          break;
        case LOG_NUMBER:
          logNumber = bytes.varint();
          break;
        case NEXT_FILE:
        case LAST_SEQUENCE:
        case PREVIOUS_LOG_NUMBER:
          bytes.varint();
          break;
        case COMPACTION_POINTER:
          bytes.varint();
          bytes.slice();
          break;
        case TABLE_GONE:
          bytes.varint();
          tables.delete(bytes.varint());
          break;
        case TABLE_NEW:
          bytes.varint();
          tables.set(bytes.varint(), bytes.varint());
          bytes.slice();
          bytes.slice();
          break;
        default:
          throw new LevelFormatError(`it has an edit of unknown kind ${tag}`);
      }
    }
  }
  return { tables, logNumber };
}
