import { createLogger } from '@robustmq/telemetry';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import { ExitCode } from '../exit-code.ts';
import { releaseDirectory, updateProcessFile } from './process-file.ts';
import type { ProcessRecord } from './process-file.ts';
import { isBackground, logFileOf } from './readiness.ts';
import { workerNumber } from './worker.ts';

/** The keys of `[log]`, which all components share. */
export interface LogKeys {
  readonly log_level: 'debug' | 'info' | 'warn' | 'error';
  readonly log_format: 'auto' | 'json' | 'pretty';
  readonly log_path: string;
  readonly log_segment_size: number;
  readonly log_file_num: number;
}

/** The log of a component: standard output, or its file in the background. */
export function serviceLogger(component: Component, log: LogKeys): Logger {
  const forPeople =
    log.log_format === 'pretty' || (log.log_format === 'auto' && process.stdout.isTTY);
  return createLogger({
    level: log.log_level,
    format: forPeople ? 'pretty' : 'json',
    destination: isBackground() ? logFileOf(component, log.log_path) : null,
    segmentBytesMax: log.log_segment_size,
    filesMax: log.log_file_num,
  });
}

/** Writes down where the component listens; on a full disk it serves all the same. */
export function announce(directory: string, record: ProcessRecord, logger: Logger): void {
  try {
    updateProcessFile(directory, record);
  } catch (error) {
    logger.sink.warn({ err: error }, '`status` does not know where the process listens');
  }
}

/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once, unless it is a worker:
 * its supervisor and whoever signals a whole group of processes both ask.
 */
export function stopSignal(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (asked && workerNumber() !== null) return;
      if (asked) {
        logger.sink.warn({ signal }, 'asked again: exiting at once');
        logger.flushSync();
        process.exit(ExitCode.failed);
      }
      asked = true;
      logger.sink.info({ signal }, 'draining and stopping; ask again to exit at once');
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** Waits for the stop, but not beyond the deadline. @returns the exit code */
export async function stopWithin(
  stop: Promise<void>,
  deadlineMs: number,
  logger: Logger,
): Promise<ExitCode> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), deadlineMs);
  });
  const outcome = await Promise.race([stop.then(() => 'stopped' as const), late]);
  clearTimeout(timer);
  if (outcome === 'stopped') {
    logger.sink.info('stopped');
    return ExitCode.ok;
  }
  logger.sink.error({ deadlineMs }, 'not stopped in time; exiting all the same');
  return ExitCode.timedOut;
}

/** A mistake of the program ends the process: its state can no longer be trusted. */
export function crashLoudly(logger: Logger, directory: string): void {
  const crash = (error: unknown, kind: string): void => {
    logger.sink.fatal({ err: error, kind }, 'a mistake of the program; exiting');
    logger.flushSync();
    releaseDirectory(directory);
    process.exit(ExitCode.failed);
  };
  process.on('uncaughtException', (error) => crash(error, 'uncaughtException'));
  process.on('unhandledRejection', (reason) => crash(reason, 'unhandledRejection'));
}
