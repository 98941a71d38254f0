import { describeProblem } from '@robustmq/config';
import { assembleBroker } from '@robustmq/mqtt-broker';
import type { Broker } from '@robustmq/mqtt-broker';
import { createLogger } from '@robustmq/telemetry';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import type { LoadedBroker } from '../configuration/broker-configuration.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { claimDirectory, releaseDirectory, updateProcessFile } from './process-file.ts';
import type { ProcessRecord } from './process-file.ts';
import { isBackground, logFileOf, tellParent } from './readiness.ts';
import { startedText } from './started-text.ts';

/**
 * Runs a broker in this process until a signal ends it. Resolves with the exit code.
 *
 * SIGTERM and SIGINT drain and stop; a second one exits at once. SIGHUP reads the access files and
 * certificates again.
 */
export async function runBroker(component: Component, loaded: LoadedBroker): Promise<ExitCode> {
  const { settings, configuration } = loaded;
  const logger = brokerLogger(component, loaded);
  for (const warning of configuration.warnings) logger.sink.warn(describeProblem(warning));
  const directory = settings.storage.directory;
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
    const broker = assembleBroker(settings, logger);
    await startBroker(broker, logger);
    process.on('SIGHUP', () => void reload(broker, logger));
    const { listeners, httpAddress } = broker;
    announce(directory, { ...record, listeners, httpAddress }, logger);
    process.stdout.write(startedText(component, loaded, { listeners, httpAddress }));
    tellParent({ kind: 'ready', listeners, httpAddress });
    await stopAsked;
    return await stopBroker(broker, settings.drainTimeoutMs, logger);
  } finally {
    releaseDirectory(directory);
    await logger.close();
  }
}

/** Writes down where the broker listens; on a full disk it serves all the same. */
function announce(directory: string, record: ProcessRecord, logger: Logger): void {
  try {
    updateProcessFile(directory, record);
  } catch (error) {
    logger.sink.warn({ err: error }, '`status` does not know where the broker listens');
  }
}

function brokerLogger(component: Component, { configuration }: LoadedBroker): Logger {
  const { log } = configuration.values;
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

async function startBroker(broker: Broker, logger: Logger): Promise<void> {
  try {
    await broker.start();
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code ?? '');
    const message = error instanceof Error ? error.message : String(error);
    logger.sink.fatal({ code }, `the broker did not start: ${message}`);
    const exitCode = code.startsWith('JOURNAL') ? ExitCode.inputOutput : ExitCode.unavailable;
    throw new CommandError(exitCode, `the broker did not start: ${message}`, { cause: error });
  }
}

/** The drain has its own time; what is left for closing files is as long again, at most 5 s. */
async function stopBroker(
  broker: Broker,
  drainTimeoutMs: number,
  logger: Logger,
): Promise<ExitCode> {
  const deadlineMs = drainTimeoutMs + 5000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), deadlineMs);
  });
  const outcome = await Promise.race([broker.stop().then(() => 'stopped' as const), late]);
  clearTimeout(timer);
  if (outcome === 'stopped') {
    logger.sink.info('stopped');
    return ExitCode.ok;
  }
  logger.sink.error({ deadlineMs }, 'not stopped in time; exiting all the same');
  return ExitCode.timedOut;
}

function stopSignal(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals): void => {
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

async function reload(broker: Broker, logger: Logger): Promise<void> {
  try {
    const changed = await broker.reload();
    logger.sink.info({ changed }, 'read again');
  } catch (error) {
    logger.sink.error({ err: error }, 'not read again; what held before still holds');
  }
}

/** A mistake of the program ends the process: its state can no longer be trusted. */
function crashLoudly(logger: Logger, directory: string): void {
  const crash = (error: unknown, kind: string): void => {
    logger.sink.fatal({ err: error, kind }, 'a mistake of the program; exiting');
    logger.flushSync();
    releaseDirectory(directory);
    process.exit(ExitCode.failed);
  };
  process.on('uncaughtException', (error) => crash(error, 'uncaughtException'));
  process.on('unhandledRejection', (reason) => crash(reason, 'unhandledRejection'));
}
