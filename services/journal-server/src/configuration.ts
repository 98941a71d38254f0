/** The configuration alone, for those who check files without starting anything. */
export { journalServerSchema } from './configuration/schema.ts';
export type { JournalServerValues } from './configuration/schema.ts';
export { journalServerSettingsFrom } from './configuration/settings-from.ts';
export type { JournalServerSettings } from './settings.ts';
