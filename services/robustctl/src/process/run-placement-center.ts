import { describeProblem } from '@robustmq/config';
import { assemblePlacementCenter } from '@robustmq/placement-center';
import type { PlacementCenter } from '@robustmq/placement-center';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import type { LoadedPlacementCenter } from '../configuration/placement-configuration.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { HEALTH_PATH } from './health.ts';
import { httpUrl } from './http-url.ts';
import { claimDirectory, releaseDirectory } from './process-file.ts';
import type { ProcessRecord } from './process-file.ts';
import { tellParent } from './readiness.ts';
import { announce, crashLoudly, serviceLogger, stopSignal, stopWithin } from './service-process.ts';

const STOP_DEADLINE_MS = 5000;

/**
 * Runs a member of the placement center in this process until a signal, or another member that
 * refuses it, ends it. Resolves with the exit code.
 */
export async function runPlacementCenter(
  component: Component,
  loaded: LoadedPlacementCenter,
): Promise<ExitCode> {
  const { settings, configuration } = loaded;
  const logger = serviceLogger(component, configuration.values.log);
  for (const warning of configuration.warnings) logger.sink.warn(describeProblem(warning));
  const { directory } = settings;
  const record = claimDirectory(directory, {
    component: component.name,
    version: settings.version,
    startedAt: new Date().toISOString(),
    listeners: [],
    httpAddress: null,
  });
  crashLoudly(logger, directory);
  const stopAsked = stopSignal(logger);
  try {
    const center = assemblePlacementCenter(settings, logger);
    const ended = center.failed.then((reason) => ({ kind: 'failed' as const, reason }));
    await startCenter(center, logger);
    const { httpAddress, listeners } = center;
    announce(directory, { ...record, listeners, httpAddress }, logger);
    process.stdout.write(placementStartedText(component, loaded, { listeners, httpAddress }));
    tellParent({ kind: 'ready', listeners, httpAddress });
    const end = await Promise.race([stopAsked.then(() => ({ kind: 'asked' as const })), ended]);
    const exitCode = await stopWithin(center.stop(), STOP_DEADLINE_MS, logger);
    if (end.kind === 'asked') return exitCode;
    throw new CommandError(exitCodeOf(end.reason), end.reason.message, { cause: end.reason });
  } finally {
    releaseDirectory(directory);
    await logger.close();
  }
}

async function startCenter(center: PlacementCenter, logger: Logger): Promise<void> {
  try {
    await center.start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logger.sink.fatal(`the placement center did not start: ${message}`);
    throw new CommandError(exitCodeOf(error), `the placement center did not start: ${message}`, {
      cause: error,
    });
  }
}

function exitCodeOf(error: unknown): ExitCode {
  const code = codeOf(error);
  if (code === 'PLACEMENT_CENTER_FAILED') return ExitCode.inputOutput;
  if (code.startsWith('PLACEMENT_CENTER_')) return ExitCode.configuration;
  if (code.startsWith('RAFT_') || code.startsWith('PLACEMENT_STORE_')) return ExitCode.inputOutput;
  return ExitCode.unavailable;
}

function codeOf(error: unknown): string {
  const { code, fault } = error as { code?: unknown; fault?: { code?: unknown } };
  return String(code ?? fault?.code ?? '');
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
