export { applyKeyedCommand } from './apply-command.ts';
export type { AppliedKeyedCommand, KeyedRecords } from './apply-command.ts';
export {
  callBytesMax,
  COMMAND_HEADER_BYTES,
  decodeKeyedCommand,
  encodeKeyedCommand,
  hasFittingKeys,
} from './command-codec.ts';
export type { KeyedCommandFault } from './command-codec.ts';
export { KEY_BYTES_MAX } from './keyed-command.ts';
export type { KeyedCall, KeyedCommand, KeyedResult, KeyedTerms } from './keyed-command.ts';
export { decodeMeta, EMPTY_META } from './keyed-meta.ts';
export type { KeyedMeta } from './keyed-meta.ts';
export {
  decodeStanding,
  expandSnapshotRecord,
  KEY_RECORDS,
  keyOfRecord,
  keyRecord,
  META_RECORD,
  REVISION_RECORDS,
  revisionOfRecord,
  revisionRecord,
  SNAPSHOT_RECORDS,
} from './record-layout.ts';
export type { RecordPrefix, Standing } from './record-layout.ts';
