import { readFileSync } from 'node:fs';

const KILOBYTE = 1024;

/** Resident memory of a process in bytes; 0 when there is none, or no /proc. */
export function residentBytesOf(pid: number | null): number {
  if (pid === null) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * KILOBYTE;
  } catch {
    return 0; // It has ended.
  }
}
