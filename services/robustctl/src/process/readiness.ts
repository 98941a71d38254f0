import { join } from 'node:path';
import type { Component } from '../component.ts';
import type { ProcessRecord } from './process-file.ts';
import { workerNumber } from './worker.ts';

/** What a background process tells the command that started it. */
export interface ReadyMessage extends Pick<ProcessRecord, 'listeners' | 'httpAddress'> {
  readonly kind: 'ready';
}

/** Set for a process that was started in the background. */
export const BACKGROUND_VARIABLE = 'ROBUSTCTL_BACKGROUND';

/** Whether this process was started in the background. */
export function isBackground(): boolean {
  return process.env[BACKGROUND_VARIABLE] !== undefined;
}

/** The log file of a background process. */
export function logFileOf(component: Component, logPath: string): string {
  const worker = workerNumber();
  return join(logPath, `${component.name}${worker === null ? '' : `-worker-${worker}`}.log`);
}

/**
 * Tells the command that waits, then lets it go; a worker stays joined to its supervisor. Does nothing in
 * the foreground.
 */
export function tellParent(message: ReadyMessage): void {
  if (process.send === undefined) return;
  if (workerNumber() !== null) {
    process.send(message);
    return;
  }
  if (!isBackground()) return;
  process.send(message, () => {
    if (process.connected) process.disconnect();
  });
}
