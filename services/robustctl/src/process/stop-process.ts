import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note } from '../output.ts';
import { readProcessFile } from './process-file.ts';
import type { ProcessRecord } from './process-file.ts';
import { isRunning } from './process-identity.ts';

const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** The process that uses a data directory, when it really runs. */
export function runningProcess(directory: string): ProcessRecord | null {
  const record = readProcessFile(directory);
  return record !== null && isRunning(record) ? record : null;
}

/**
 * Asks the process to end and waits until it has.
 *
 * The signal goes only to the very process that wrote the file: its start time is compared.
 *
 * @throws CommandError `timedOut` when it has not ended in time; with `force` it is then killed
 */
export async function stopProcess(record: ProcessRecord, force: 'force' | 'ask'): Promise<void> {
  signal(record, 'SIGTERM');
  if (await hasEnded(record, STOP_TIMEOUT_MS)) return;
  if (force === 'ask') {
    throw new CommandError(
      ExitCode.timedOut,
      `process ${String(record.pid)} has not ended within ${String(STOP_TIMEOUT_MS / 1000)} s; \`--force\` kills it (acknowledged messages stay safe)`,
    );
  }
  signal(record, 'SIGKILL');
  if (!(await hasEnded(record, STOP_TIMEOUT_MS))) {
    throw new CommandError(ExitCode.timedOut, `process ${String(record.pid)} cannot be killed`);
  }
}

function signal(record: ProcessRecord, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isRunning(record)) return;
  try {
    process.kill(record.pid, name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    throw new CommandError(ExitCode.accessDenied, `process ${String(record.pid)}: ${message}`, {
      cause: error,
    });
  }
}

async function hasEnded(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if (!isRunning(record)) return true;
    if (waitedMs > 0 && waitedMs % 2000 === 0) note(`stopping … ${String(waitedMs / 1000)} s`);
    await sleep(POLL_MS);
  }
  return !isRunning(record);
}
