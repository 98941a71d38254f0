import { describeProblem, effectiveSettings, loadConfiguration } from '@robustmq/config';
import type { Configuration, Problem } from '@robustmq/config';
import {
  journalServerSchema,
  journalServerSettingsFrom,
} from '@robustmq/journal-server/configuration';
import { brokerSchema, brokerSettingsFrom } from '@robustmq/mqtt-broker';
import {
  placementCenterSchema,
  placementCenterSettingsFrom,
} from '@robustmq/placement-center/configuration';
import type { Component } from '../component.ts';
import { ExitCode } from '../exit-code.ts';
import { note, print, table } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { programVersion } from '../version.ts';
import { componentOfFile, knownComponent, schemaOf } from './component-schema.ts';
import { configurationError, configurationPath } from './configuration-file.ts';
import { machineFacts } from './machine-facts.ts';

/**
 * Checks a file together with the environment and prints every value with its origin.
 *
 * @throws CommandError `configuration` with every problem (`json`: they are printed as data)
 */
export function checkConfiguration(
  named: string | undefined,
  componentName: string | null,
  output: OutputFormat,
): void {
  const component =
    componentName === null ? componentOfFile(named ?? null) : knownComponent(componentName);
  const file = configurationPath(component, named);
  const loaded = loadConfiguration(schemaOf(component), file, process.env);
  const problems = loaded.ok
    ? [...loaded.value.warnings, ...combinationProblems(component, file)]
    : loaded.fault;
  const isWrong = problems.some((problem) => problem.severity === 'error');
  if (output === 'json') {
    printJson({ component, file, problems, configuration: loaded.ok ? loaded.value : null });
    if (isWrong) process.exitCode = ExitCode.configuration;
    return;
  }
  if (!loaded.ok || isWrong) throw configurationError(problems);
  for (const warning of problems) note(describeProblem(warning));
  const rows = effectiveSettings(loaded.value.settings).map(({ key, value, originText }) => [
    key,
    JSON.stringify(value),
    originText,
  ]);
  print(table(['key', 'value', 'from'], rows));
  print(`\n${file ?? 'the defaults'}: fine for ${component.name}`);
}

interface Checked {
  readonly component: Component;
  readonly file: string | null;
  readonly problems: readonly Problem[];
  readonly configuration: Configuration<unknown> | null;
}

function printJson({ component, file, problems, configuration }: Checked): void {
  const settings = configuration === null ? [] : effectiveSettings(configuration.settings);
  print(JSON.stringify({ component: component.name, file, problems, settings }, null, 2));
}

/** What only shows when the values are taken together; the broker has such rules. */
function combinationProblems(component: Component, file: string | null): readonly Problem[] {
  if (component.name === 'journal-server') {
    const read = loadConfiguration(journalServerSchema, file, process.env);
    if (!read.ok) return read.fault;
    const server = journalServerSettingsFrom(read.value, programVersion());
    return server.ok ? [] : server.fault;
  }
  if (component.name === 'placement-center') {
    const read = loadConfiguration(placementCenterSchema, file, process.env);
    if (!read.ok) return read.fault;
    const member = placementCenterSettingsFrom(read.value, programVersion());
    return member.ok ? [] : member.fault;
  }
  const loaded = loadConfiguration(brokerSchema, file, process.env);
  if (!loaded.ok) return loaded.fault;
  const machine = machineFacts(loaded.value.values.storage.directory);
  const settings = brokerSettingsFrom(loaded.value, machine, programVersion());
  return settings.ok ? [] : settings.fault;
}
