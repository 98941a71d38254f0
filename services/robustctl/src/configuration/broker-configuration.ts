import { loadConfiguration } from '@robustmq/config';
import type { Configuration } from '@robustmq/config';
import { brokerSchema, brokerSettingsFrom } from '@robustmq/mqtt-broker';
import type { BrokerConfigurationValues, BrokerSettings } from '@robustmq/mqtt-broker';
import type { Component } from '../component.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
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

/**
 * Refuses what this version cannot do yet: being a member of a cluster.
 *
 * @throws CommandError that says what is missing and what works
 */
export function assertStandsAlone({ configuration }: LoadedBroker): void {
  const members = configuration.values.node.placement_center;
  if (members.length === 0) return;
  throw new CommandError(
    ExitCode.unavailable,
    `placement_center = ${JSON.stringify(members)} makes this broker a member of a cluster, which is not available in this version: ` +
      'the placement center is missing. What works today: `robustctl standalone start`, ' +
      'or a broker whose placement_center is empty',
  );
}
