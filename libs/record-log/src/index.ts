export { AppendError, AppendFile } from './append-file.ts';
export type { AppendFault } from './append-file.ts';
export { CheckpointLog } from './checkpoint-log.ts';
export type { CheckpointLogOptions, OpenedCheckpoint } from './checkpoint-log.ts';
export type { CheckpointEntry } from './checkpoint-frame.ts';
export type { CheckpointRecovery } from './checkpoint-recovery.ts';
export { DataDirectoryError, openDataDirectory, replaceFile } from './data-directory.ts';
export type { DataDirectoryFault, DataFormat } from './data-directory.ts';
