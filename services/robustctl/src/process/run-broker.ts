import { describeProblem } from '@robustmq/config';
import { assembleBroker } from '@robustmq/mqtt-broker';
import type { Broker } from '@robustmq/mqtt-broker';
import type { Logger } from '@robustmq/telemetry';
import type { Component } from '../component.ts';
import type { LoadedBroker } from '../configuration/broker-configuration.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { claimDirectory, releaseDirectory } from './process-file.ts';
import { tellParent } from './readiness.ts';
import { announce, crashLoudly, serviceLogger, stopSignal, stopWithin } from './service-process.ts';
import { followSupervisor, workerNumber } from './worker.ts';
import { openStandalonePlacement } from './standalone-placement.ts';
import { startedText } from './started-text.ts';

/**
 * Runs a broker in this process until a signal ends it. Resolves with the exit code.
 *
 * SIGTERM and SIGINT drain and stop; a second one exits at once. SIGHUP reads the access files and
 * certificates again.
 */
export async function runBroker(component: Component, loaded: LoadedBroker): Promise<ExitCode> {
  const { settings, configuration } = loaded;
  const logger = serviceLogger(component, configuration.values.log);
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
  if (workerNumber() !== null) followSupervisor();
  try {
    const broker = assembleBroker(settings, logger);
    await startBroker(broker, logger);
    process.on('SIGHUP', () => void reload(broker, logger));
    const { listeners, httpAddress } = broker;
    announce(directory, { ...record, listeners, httpAddress }, logger);
    // The supervisor says it for all workers.
    if (workerNumber() === null) {
      process.stdout.write(startedText(component, loaded, { listeners, httpAddress }));
    }
    tellParent({ kind: 'ready', listeners, httpAddress });
    const placement = openStandalonePlacement(component, loaded, logger);
    await stopAsked;
    // The drain has its own time; what is left for closing files is as long again, at most 5 s.
    const stopped = Promise.all([broker.stop(), placement?.close()]).then(() => undefined);
    return await stopWithin(stopped, settings.drainTimeoutMs + 5000, logger);
  } finally {
    releaseDirectory(directory);
    await logger.close();
  }
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

async function reload(broker: Broker, logger: Logger): Promise<void> {
  try {
    const changed = await broker.reload();
    logger.sink.info({ changed }, 'read again');
  } catch (error) {
    logger.sink.error({ err: error }, 'not read again; what held before still holds');
  }
}
