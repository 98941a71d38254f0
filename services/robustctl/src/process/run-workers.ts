import { describeProblem } from '@robustmq/config';
import { workerSettings } from '@robustmq/mqtt-broker';
import type { Component } from '../component.ts';
import type { LoadedBroker } from '../configuration/broker-configuration.ts';
import { ExitCode } from '../exit-code.ts';
import { claimDirectory, releaseDirectory } from './process-file.ts';
import { tellParent } from './readiness.ts';
import { announce, crashLoudly, serviceLogger, stopSignal, stopWithin } from './service-process.ts';
import { startedText } from './started-text.ts';
import { WorkerProcesses } from './worker-processes.ts';

/** For workers to close files and say goodbye after their drain. */
const STOP_MARGIN_MS = 10_000;

/**
 * Runs the processes of a broker with several workers until a signal ends them: SIGTERM and SIGINT drain
 * and stop all, SIGHUP reaches all, and one that ends by itself is started again. Resolves with the exit
 * code.
 */
export async function runWorkers(component: Component, loaded: LoadedBroker): Promise<ExitCode> {
  const { settings, configuration, file } = loaded;
  const logger = serviceLogger(component, configuration.values.log);
  for (const warning of configuration.warnings) logger.sink.warn(describeProblem(warning));
  const { directory } = settings.storage;
  const record = claimDirectory(directory, {
    component: component.name,
    version: settings.version,
    startedAt: new Date().toISOString(),
    listeners: [],
    httpAddress: null,
  });
  crashLoudly(logger, directory);
  const stopAsked = stopSignal(logger);
  const [, script = ''] = process.argv;
  const words = [script, component.name, 'start', ...(file === null ? [] : [file])];
  let started: Pick<typeof record, 'listeners' | 'httpAddress'> | null = null;
  const workers = new WorkerProcesses({
    count: settings.workers,
    command: [process.execPath, ...process.execArgv, ...words],
    environment: process.env,
    nodeIdOf: (worker) => workerSettings(settings, worker).nodeId,
    logger,
    changed: () => {
      if (started === null) return;
      announce(directory, { ...record, ...started, workers: workers.records }, logger);
    },
  });
  try {
    const ready = await Promise.race([workers.start(), stopAsked]);
    if (ready !== undefined) {
      process.on('SIGHUP', () => workers.signal('SIGHUP'));
      const [{ listeners, httpAddress } = record] = ready;
      started = { listeners, httpAddress };
      announce(directory, { ...record, ...started, workers: workers.records }, logger);
      process.stdout.write(startedText(component, loaded, started));
      tellParent({ kind: 'ready', listeners, httpAddress });
      await stopAsked;
    }
    started = null;
    const exitCode = await stopWithin(
      workers.stop(),
      settings.drainTimeoutMs + STOP_MARGIN_MS,
      logger,
    );
    if (exitCode !== ExitCode.ok) workers.kill();
    return exitCode;
  } finally {
    releaseDirectory(directory);
    await logger.close();
  }
}
