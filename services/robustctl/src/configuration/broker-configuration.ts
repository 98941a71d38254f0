import { loadConfiguration } from '@robustmq/config';
import type { Configuration } from '@robustmq/config';
import { brokerSchema, brokerSettingsFrom } from '@robustmq/mqtt-broker';
import type { BrokerConfigurationValues, BrokerSettings } from '@robustmq/mqtt-broker';
import type { Component } from '../component.ts';
import { programVersion } from '../version.ts';
import { configurationError, configurationPath } from './configuration-file.ts';
import { machineFacts } from './machine-facts.ts';

/** A broker's configuration as written, and what the broker is told because of it. */
export interface LoadedBroker {
  readonly file: string | null;
  readonly configuration: Configuration<BrokerConfigurationValues>;
  readonly settings: BrokerSettings;
}

/**
 * Reads and checks everything that a broker needs to start.
 *
 * @throws CommandError with every problem
 */
export function loadBroker(component: Component, named: string | undefined): LoadedBroker {
  const file = configurationPath(component, named);
  const loaded = loadConfiguration(brokerSchema, file, process.env);
  if (!loaded.ok) throw configurationError(loaded.fault);
  const configuration = loaded.value;
  const machine = machineFacts(configuration.values.storage.directory);
  const settings = brokerSettingsFrom(configuration, machine, programVersion());
  if (!settings.ok) throw configurationError([...configuration.warnings, ...settings.fault]);
  return { file, configuration, settings: settings.value };
}
