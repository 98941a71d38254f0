import type { Component } from '../component.ts';
import { print } from '../output.ts';
import { runningProcess, stopProcess } from '../process/stop-process.ts';
import { dataDirectoryOf } from './start-component.ts';

/** Stops a component; it is fine when it does not run. */
export async function stopComponent(
  component: Component,
  named: string | undefined,
  force: 'force' | 'ask',
): Promise<void> {
  const directory = dataDirectoryOf(component, named);
  const running = runningProcess(directory);
  if (running === null) {
    print(`${component.name} does not run (data directory ${directory})`);
    return;
  }
  await stopProcess(running, force);
  print(`${component.name} has stopped (process ${String(running.pid)})`);
}
