import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandError, ExitCode } from '../exit-code.ts';
import { identityOf, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What the file in the data directory tells about the process that uses the directory. */
export interface ProcessRecord extends ProcessIdentity {
  readonly component: string;
  readonly version: string;
  readonly startedAt: string;
  /** Once it is ready: what it listens on. */
  readonly listeners: readonly {
    readonly name: string;
    readonly kind: string;
    readonly address: string;
    readonly port: number;
  }[];
  /** `host:port` of its HTTP server; null when it has none, or is not ready. */
  readonly httpAddress: string | null;
  /** The processes that do its work, if those are others. */
  readonly workers?: readonly WorkerRecord[];
}

/** One of several processes that share the ports of a broker. */
export interface WorkerRecord {
  readonly worker: number;
  readonly nodeId: number;
  /** null: it has ended, and is started again. */
  readonly pid: number | null;
  readonly httpAddress: string | null;
  /** How often it was started again. */
  readonly restarts: number;
}

/** The file's name within a data directory. */
export const PROCESS_FILE = 'robustctl.pid';

/**
 * Claims a data directory for this process, and makes it if need be.
 *
 * A file left by a process that is gone is replaced.
 *
 * @throws CommandError `unavailable` when a running process has it; `inputOutput` when it cannot be written
 */
export function claimDirectory(
  directory: string,
  record: Omit<ProcessRecord, keyof ProcessIdentity>,
): ProcessRecord {
  const own = identityOf(process.pid) ?? { pid: process.pid, startedTicks: null };
  const claimed: ProcessRecord = { ...own, ...record };
  try {
    mkdirSync(directory, { recursive: true });
    if (writeNew(directory, claimed)) return claimed;
    const other = readProcessFile(directory);
    if (other !== null && isRunning(other)) {
      throw new CommandError(
        ExitCode.unavailable,
        `${other.component} already runs with the data directory ${directory} (process ${String(other.pid)}); ` +
          `stop it with \`robustctl ${other.component} stop\`, or give this one another data directory`,
      );
    }
    rmSync(join(directory, PROCESS_FILE), { force: true });
    if (writeNew(directory, claimed)) return claimed;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      ExitCode.inputOutput,
      `the data directory ${directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  throw new CommandError(
    ExitCode.unavailable,
    `another process just took the data directory ${directory}`,
  );
}

/** Replaces the record of the directory that this process has claimed. */
export function updateProcessFile(directory: string, record: ProcessRecord): void {
  const path = join(directory, PROCESS_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

/** Gives the directory back; nothing happens when the file is another process's. */
export function releaseDirectory(directory: string): void {
  if (readProcessFile(directory)?.pid !== process.pid) return;
  rmSync(join(directory, PROCESS_FILE), { force: true });
}

/** The record of a directory; null when there is none, or one that is not ours to understand. */
export function readProcessFile(directory: string): ProcessRecord | null {
  let text: string;
  try {
    text = readFileSync(join(directory, PROCESS_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const record = JSON.parse(text) as Partial<ProcessRecord>;
    return Number.isInteger(record.pid) && Array.isArray(record.listeners)
      ? (record as ProcessRecord)
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // Torn by a crash: as good as none.
    throw error;
  }
}

function writeNew(directory: string, record: ProcessRecord): boolean {
  let file: number;
  try {
    file = openSync(join(directory, PROCESS_FILE), 'wx', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, JSON.stringify(record));
  } finally {
    closeSync(file);
  }
  return true;
}
