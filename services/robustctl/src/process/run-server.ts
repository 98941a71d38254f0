import { describeProblem, type Problem } from '@robustmq/config';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { claimDirectory, releaseDirectory } from './process-file.ts';
import type { ProcessRecord } from './process-file.ts';
import { tellParent } from './readiness.ts';
import {
  announce,
  crashLoudly,
  type LogKeys,
  serviceLogger,
  stopSignal,
  stopWithin,
} from './service-process.ts';

const STOP_DEADLINE_MS = 5000;

/** A member of a cluster of servers: it may have to end by itself. */
export interface Server extends Pick<ProcessRecord, 'listeners' | 'httpAddress'> {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the process must end by itself, with the sentence for the operator. */
  readonly failed: Promise<Error>;
}

/** How one is run. */
export interface ServerRun {
  /** In messages: `the placement center`. */
  readonly title: string;
  readonly version: string;
  readonly directory: string;
  readonly log: LogKeys;
  readonly warnings: readonly Problem[];
  assemble(logger: Logger): Server;
  /** What a started one says: where it listens, and what to try next. */
  startedText(started: Pick<ProcessRecord, 'listeners' | 'httpAddress'>): string;
  /** Of a failure with this code. */
  exitCodeOf(code: string): ExitCode;
}

/** Runs a server in this process until a signal, or its own failure, ends it. Resolves with the exit code. */
export async function runServer(component: Component, run: ServerRun): Promise<ExitCode> {
  const { directory, version } = run;
  const logger = serviceLogger(component, run.log);
  for (const warning of run.warnings) logger.sink.warn(describeProblem(warning));
  const record = claimDirectory(directory, {
    component: component.name,
    version,
    startedAt: new Date().toISOString(),
    listeners: [],
    httpAddress: null,
  });
  crashLoudly(logger, directory);
  const stopAsked = stopSignal(logger);
  try {
    const server = run.assemble(logger);
    const ended = server.failed.then((reason) => ({ kind: 'failed' as const, reason }));
    await startServer(server, run, logger);
    const { httpAddress, listeners } = server;
    announce(directory, { ...record, listeners, httpAddress }, logger);
    process.stdout.write(run.startedText({ listeners, httpAddress }));
    tellParent({ kind: 'ready', listeners, httpAddress });
    const end = await Promise.race([stopAsked.then(() => ({ kind: 'asked' as const })), ended]);
    const exitCode = await stopWithin(server.stop(), STOP_DEADLINE_MS, logger);
    if (end.kind === 'asked') return exitCode;
    const { reason } = end;
    throw new CommandError(run.exitCodeOf(codeOf(reason)), reason.message, { cause: reason });
  } finally {
    releaseDirectory(directory);
    await logger.close();
  }
}

async function startServer(server: Server, run: ServerRun, logger: Logger): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${run.title} did not start: ${why}`;
    logger.sink.fatal(message);
    throw new CommandError(run.exitCodeOf(codeOf(error)), message, { cause: error });
  }
}

function codeOf(error: unknown): string {
  const { code, fault } = error as { code?: unknown; fault?: { code?: unknown } };
  return String(code ?? fault?.code ?? '');
}
