export { readAppliedIndex, writeBatch } from './batch-writer.ts';
export type { BatchOptions } from './batch-writer.ts';
export { checkDatabase } from './check-database.ts';
export { fillDatabase } from './fill-database.ts';
export type { FillOptions, StoredRecord } from './fill-database.ts';
export {
  closedFault,
  countRecords,
  databaseFault,
  DEFAULT_DATABASE_MEMORY,
  flushLogs,
  openDatabase,
  scan,
} from './level-database.ts';
export type {
  Database,
  DatabaseMemory,
  DatabaseSnapshot,
  Entry,
  RecordRange,
  ScanOptions,
} from './level-database.ts';
export { LevelStateError } from './level-state-error.ts';
export type { LevelStateFault } from './level-state-error.ts';
export { openLevelState } from './level-state.ts';
export type { LevelState, LevelStateOptions, StateView } from './level-state.ts';
export { PendingWrites } from './pending-writes.ts';
export { RecordStreamDamaged, RecordStreamReader, RecordStreamWriter } from './record-stream.ts';
export { openStateDirectory, StateDirectory } from './state-directory.ts';
