import type { Component } from '../component.ts';
import { loadBroker } from '../configuration/broker-configuration.ts';
import { loadJournalServer } from '../configuration/journal-configuration.ts';
import { loadPlacementCenter } from '../configuration/placement-configuration.ts';
import { ExitCode } from '../exit-code.ts';
import { workerNumber } from '../process/worker.ts';

/**
 * Starts a component, in this process or in the background.
 *
 * @throws CommandError when it cannot be started
 */
export async function startComponent(
  component: Component,
  named: string | undefined,
  where: 'foreground' | 'background',
): Promise<void> {
  process.exitCode = await starterOf(component)(component, named, where);
  if (where === 'background') return;
  // Nothing may keep a stopped component alive: what is still open is a mistake, not a reason to stay.
  setTimeout(() => process.exit(), 1000).unref();
}

async function startBroker(
  component: Component,
  named: string | undefined,
  where: 'foreground' | 'background',
): Promise<ExitCode> {
  const loaded = loadBroker(component, named);
  if (where === 'background') {
    const { runInBackground } = await import('../process/run-background.ts');
    const { startedText } = await import('../process/started-text.ts');
    await runInBackground(component, {
      file: loaded.file,
      logPath: loaded.configuration.values.log.log_path,
      startedText: (started) => startedText(component, loaded, started),
    });
    return ExitCode.ok;
  }
  if (loaded.settings.workers > 1) {
    const worker = workerNumber();
    if (worker === null) {
      const { runWorkers } = await import('../process/run-workers.ts');
      return runWorkers(component, loaded);
    }
    const { workerSettings } = await import('@robustmq/mqtt-broker');
    const { runBroker } = await import('../process/run-broker.ts');
    return runBroker(component, { ...loaded, settings: workerSettings(loaded.settings, worker) });
  }
  const { runBroker } = await import('../process/run-broker.ts');
  return runBroker(component, loaded);
}

async function startPlacementCenter(
  component: Component,
  named: string | undefined,
  where: 'foreground' | 'background',
): Promise<ExitCode> {
  const loaded = loadPlacementCenter(component, named);
  const { placementStartedText, runPlacementCenter } = await import(
    '../process/run-placement-center.ts'
  );
  if (where === 'background') {
    const { runInBackground } = await import('../process/run-background.ts');
    await runInBackground(component, {
      file: loaded.file,
      logPath: loaded.configuration.values.log.log_path,
      startedText: (started) => placementStartedText(component, loaded, started),
    });
    return ExitCode.ok;
  }
  return runPlacementCenter(component, loaded);
}

async function startJournalServer(
  component: Component,
  named: string | undefined,
  where: 'foreground' | 'background',
): Promise<ExitCode> {
  const loaded = loadJournalServer(component, named);
  const { journalStartedText, runJournalServer } = await import('../process/run-journal-server.ts');
  if (where === 'background') {
    const { runInBackground } = await import('../process/run-background.ts');
    await runInBackground(component, {
      file: loaded.file,
      logPath: loaded.configuration.values.log.log_path,
      startedText: (started) => journalStartedText(component, loaded, started),
    });
    return ExitCode.ok;
  }
  return runJournalServer(component, loaded);
}

function starterOf({ name }: Component): typeof startBroker {
  switch (name) {
    case 'placement-center':
      return startPlacementCenter;
    case 'journal-server':
      return startJournalServer;
    default:
      return startBroker;
  }
}

/** Where the component that a file describes keeps its data. @throws CommandError */
export function dataDirectoryOf(component: Component, named: string | undefined): string {
  switch (component.name) {
    case 'placement-center':
      return loadPlacementCenter(component, named).settings.directory;
    case 'journal-server':
      return loadJournalServer(component, named).settings.directory;
    default:
      return loadBroker(component, named).settings.storage.directory;
  }
}
