export { assemblePlacementCenter } from './assemble.ts';
export type { BackupHeader } from './backup/backup-file.ts';
export { openBackupFile, type OpenedBackup } from './backup/backup-file.ts';
export { type Restored, restoreBackup, type RestoreRequest } from './backup/restore.ts';
export type { PlacementCenter, PlacementListener } from './placement-center.ts';
export { PlacementCenterError, type PlacementCenterFaultCode } from './placement-center-error.ts';
export type { PlacementCenterSettings } from './settings.ts';
