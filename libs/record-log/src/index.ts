export { AppendError, AppendFile } from './append-file.ts';
export type { AppendFault } from './append-file.ts';
export { DataDirectoryError, openDataDirectory, replaceFile } from './data-directory.ts';
export type { DataDirectoryFault, DataFormat } from './data-directory.ts';
