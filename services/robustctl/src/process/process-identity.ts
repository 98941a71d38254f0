import { readFileSync } from 'node:fs';

/**
 * Names one process for good: numbers are reused, a number with its start time is not.
 *
 * `startedTicks` counts clock ticks since the machine booted; null where the system does not tell.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedTicks: number | null;
}

/** The identity of a running process; null when no process has the number. */
export function identityOf(pid: number): ProcessIdentity | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  return { pid, startedTicks: startedTicksOf(pid) };
}

/** Whether the very process that was named still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid);
  if (now === null) return false;
  return (
    now.startedTicks === null ||
    identity.startedTicks === null ||
    now.startedTicks === identity.startedTicks
  );
}

function startedTicksOf(pid: number): number | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch {
    return null; // Not Linux, or the process is just gone: kill(pid, 0) decides.
  }
  // The second field, the name, may hold spaces and brackets: count from the last bracket on.
  // What follows is field 3 and up; the start time is field 22 (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  if (fields[0] === 'Z') return -1;
  return Number(fields[19]);
}
