import { assembleJournalServer, systemEnvironment } from '@robustmq/journal-server';
import type { Component } from '../component.ts';
import type { LoadedJournalServer } from '../configuration/journal-configuration.ts';
import { ExitCode } from '../exit-code.ts';
import { HEALTH_PATH } from './health.ts';
import { httpUrl } from './http-url.ts';
import type { ProcessRecord } from './process-file.ts';
import { runServer } from './run-server.ts';

/**
 * Runs a journal server in this process until a signal, or another server that refuses it, ends it.
 * Resolves with the exit code.
 */
export function runJournalServer(
  component: Component,
  loaded: LoadedJournalServer,
): Promise<ExitCode> {
  const { settings, configuration } = loaded;
  return runServer(component, {
    title: 'the journal server',
    version: settings.version,
    directory: settings.directory,
    log: configuration.values.log,
    warnings: configuration.warnings,
    assemble: (logger) => assembleJournalServer(settings, systemEnvironment(settings, logger)),
    startedText: (started) => journalStartedText(component, loaded, started),
    exitCodeOf,
  });
}

function exitCodeOf(code: string): ExitCode {
  if (code === 'JOURNAL_SERVER_REFUSED') return ExitCode.configuration;
  if (code === 'RPC_TOKEN_FILE_UNUSABLE') return ExitCode.configuration;
  if (code === 'JOURNAL_SERVER_FAILED' || code.startsWith('RAFT_')) return ExitCode.inputOutput;
  return ExitCode.unavailable;
}

/** What a started server says: where it listens, and what to try next. */
export function journalStartedText(
  component: Component,
  { file, settings }: LoadedJournalServer,
  { listeners, httpAddress }: Pick<ProcessRecord, 'listeners' | 'httpAddress'>,
): string {
  const program = process.env['ROBUSTCTL_COMMAND'] ?? 'robustctl';
  const [grpc] = listeners;
  const server = grpc === undefined ? '' : `${grpc.address}:${String(grpc.port)}`;
  const [center = ''] = settings.placementCenter;
  const lines = [
    `RobustMQ ${settings.version}: ${component.name} is ready (${file ?? 'no configuration file: defaults'})`,
    `  ${'server'.padEnd(14)} ${String(settings.nodeId)} of "${settings.clusterName}"`,
    `  ${'grpc'.padEnd(14)} ${server}`,
  ];
  if (httpAddress !== null) {
    lines.push(`  ${'http'.padEnd(14)} ${httpUrl(httpAddress)}${HEALTH_PATH}`);
  }
  lines.push(
    `  ${'data'.padEnd(14)} ${settings.directory} (acknowledged after the flush to disk on a majority)`,
    'Its shards open once the placement center has told them. Try:',
    `  ${program} cluster status -s ${center}`,
  );
  return `${lines.join('\n')}\n`;
}
