import type { ProcessRecord } from './process-file.ts';

/** What a background process tells the command that started it. */
export interface ReadyMessage extends Pick<ProcessRecord, 'listeners' | 'httpAddress'> {
  readonly kind: 'ready';
}

/** Set for a process that was started in the background. */
export const BACKGROUND_VARIABLE = 'ROBUSTCTL_BACKGROUND';

/** Tells the command that waits, then lets it go. Does nothing in the foreground. */
export function tellParent(message: ReadyMessage): void {
  if (process.env[BACKGROUND_VARIABLE] === undefined || process.send === undefined) return;
  process.send(message, () => {
    if (process.connected) process.disconnect();
  });
}
