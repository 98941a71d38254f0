/** The configuration alone, for those who check files without starting anything. */
export { placementCenterSchema } from './configuration/schema.ts';
export type { PlacementCenterValues } from './configuration/schema.ts';
export { placementCenterSettingsFrom } from './configuration/settings-from.ts';
export type { PlacementCenterSettings } from './settings.ts';
