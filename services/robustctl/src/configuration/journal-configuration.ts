import { loadConfiguration } from '@robustmq/config';
import type { Configuration } from '@robustmq/config';
import {
  journalServerSchema,
  journalServerSettingsFrom,
} from '@robustmq/journal-server/configuration';
import type {
  JournalServerSettings,
  JournalServerValues,
} from '@robustmq/journal-server/configuration';
import type { Component } from '../component.ts';
import { programVersion } from '../version.ts';
import { configurationError, configurationPath } from './configuration-file.ts';

/** The configuration of a journal server as written, and what it is told because of it. */
export interface LoadedJournalServer {
  readonly file: string | null;
  readonly configuration: Configuration<JournalServerValues>;
  readonly settings: JournalServerSettings;
}

/**
 * Reads and checks everything that a journal server needs to start.
 *
 * @throws CommandError with every problem
 */
export function loadJournalServer(
  component: Component,
  named: string | undefined,
): LoadedJournalServer {
  const file = configurationPath(component, named);
  const loaded = loadConfiguration(journalServerSchema, file, process.env);
  if (!loaded.ok) throw configurationError(loaded.fault);
  const configuration = loaded.value;
  const settings = journalServerSettingsFrom(configuration, programVersion());
  if (!settings.ok) throw configurationError([...configuration.warnings, ...settings.fault]);
  return { file, configuration, settings: settings.value };
}
