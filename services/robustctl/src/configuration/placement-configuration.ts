import { loadConfiguration } from '@robustmq/config';
import type { Configuration } from '@robustmq/config';
import {
  placementCenterSchema,
  placementCenterSettingsFrom,
} from '@robustmq/placement-center/configuration';
import type {
  PlacementCenterSettings,
  PlacementCenterValues,
} from '@robustmq/placement-center/configuration';
import type { Component } from '../component.ts';
import { programVersion } from '../version.ts';
import { configurationError, configurationPath } from './configuration-file.ts';

/** The configuration of a placement center as written, and what it is told because of it. */
export interface LoadedPlacementCenter {
  readonly file: string | null;
  readonly configuration: Configuration<PlacementCenterValues>;
  readonly settings: PlacementCenterSettings;
}

/**
 * Reads and checks everything that a member of the placement center needs to start.
 *
 * @throws CommandError with every problem
 */
export function loadPlacementCenter(
  component: Component,
  named: string | undefined,
): LoadedPlacementCenter {
  const file = configurationPath(component, named);
  const loaded = loadConfiguration(placementCenterSchema, file, process.env);
  if (!loaded.ok) throw configurationError(loaded.fault);
  const configuration = loaded.value;
  const settings = placementCenterSettingsFrom(configuration, programVersion());
  if (!settings.ok) throw configurationError([...configuration.warnings, ...settings.fault]);
  return { file, configuration, settings: settings.value };
}
