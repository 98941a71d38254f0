/** Set for a worker: its number, from 1 on. */
export const WORKER_VARIABLE = 'ROBUSTCTL_WORKER';

/** Which worker of a broker this process is; null: none. */
export function workerNumber(): number | null {
  const text = process.env[WORKER_VARIABLE];
  return text === undefined ? null : Number(text);
}

/** Ends this worker when the process that started it is gone. Nothing else is kept alive by it. */
export function followSupervisor(): void {
  if (process.send === undefined) return;
  const end = (): void => {
    process.kill(process.pid, 'SIGTERM');
  };
  if (!process.connected) end();
  process.once('disconnect', end);
  process.channel?.unref();
}
