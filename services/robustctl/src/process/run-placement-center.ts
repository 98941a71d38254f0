import { assemblePlacementCenter } from '@robustmq/placement-center';
import type { Component } from '../component.ts';
import type { LoadedPlacementCenter } from '../configuration/placement-configuration.ts';
import { ExitCode } from '../exit-code.ts';
import { HEALTH_PATH } from './health.ts';
import { httpUrl } from './http-url.ts';
import type { ProcessRecord } from './process-file.ts';
import { runServer } from './run-server.ts';

/**
 * Runs a member of the placement center in this process until a signal, or another member that
 * refuses it, ends it. Resolves with the exit code.
 */
export function runPlacementCenter(
  component: Component,
  loaded: LoadedPlacementCenter,
): Promise<ExitCode> {
  const { settings, configuration } = loaded;
  return runServer(component, {
    title: 'the placement center',
    version: settings.version,
    directory: settings.directory,
    log: configuration.values.log,
    warnings: configuration.warnings,
    assemble: (logger) => assemblePlacementCenter(settings, logger),
    startedText: (started) => placementStartedText(component, loaded, started),
    exitCodeOf,
  });
}

function exitCodeOf(code: string): ExitCode {
  if (code === 'PLACEMENT_CENTER_FAILED') return ExitCode.inputOutput;
  if (code.startsWith('PLACEMENT_CENTER_')) return ExitCode.configuration;
  if (code === 'RPC_TOKEN_FILE_UNUSABLE') return ExitCode.configuration;
  if (code.startsWith('RAFT_') || code.startsWith('PLACEMENT_STORE_')) return ExitCode.inputOutput;
  return ExitCode.unavailable;
}

/** What a started member says: where it listens, and what to try next. */
export function placementStartedText(
  component: Component,
  { file, settings }: LoadedPlacementCenter,
  { listeners, httpAddress }: Pick<ProcessRecord, 'listeners' | 'httpAddress'>,
): string {
  const program = process.env['ROBUSTCTL_COMMAND'] ?? 'robustctl';
  const [grpc] = listeners;
  const server = grpc === undefined ? '' : `${grpc.address}:${String(grpc.port)}`;
  const lines = [
    `RobustMQ ${settings.version}: ${component.name} is ready (${file ?? 'no configuration file: defaults'})`,
    `  ${'member'.padEnd(14)} ${String(settings.nodeId)} of "${settings.clusterName}"`,
    `  ${'grpc'.padEnd(14)} ${server}`,
  ];
  if (httpAddress !== null) {
    lines.push(`  ${'http'.padEnd(14)} ${httpUrl(httpAddress)}${HEALTH_PATH}`);
  }
  lines.push(
    ...dataLines(settings, `${program} place members -s ${server}`),
    `  ${program} kv put hello world -s ${server}`,
  );
  return `${lines.join('\n')}\n`;
}

function dataLines(
  { backend, directory }: LoadedPlacementCenter['settings'],
  members: string,
): readonly string[] {
  if (backend.kind === 'etcd') {
    return [`  ${'data'.padEnd(14)} etcd at ${backend.endpoints.join(', ')}`, 'Try:'];
  }
  return [
    `  ${'data'.padEnd(14)} ${directory} (acknowledged after the flush to disk on a majority)`,
    'Try, once a majority of the members runs:',
    `  ${members}`,
  ];
}
