import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import type { Component } from '../component.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note, print } from '../output.ts';
import { BACKGROUND_VARIABLE, logFileOf } from './readiness.ts';
import type { ProcessRecord } from './process-file.ts';
import type { ReadyMessage } from './readiness.ts';

/** Opening a large journal after a crash takes time; longer than this is a fault. */
const READY_TIMEOUT_MS = 120_000;
const LOG_TAIL_LINES = 20;

/** What is known of a component before it is started. */
export interface Launch {
  readonly file: string | null;
  readonly logPath: string;
  /** What to say once it is ready. */
  readonly startedText: (started: Pick<ProcessRecord, 'listeners' | 'httpAddress'>) => string;
}

/**
 * Starts the component in the background and waits until it is ready, or failed.
 *
 * @throws CommandError with the end of the log when it did not become ready
 */
export async function runInBackground(component: Component, loaded: Launch): Promise<void> {
  const directory = loaded.logPath;
  mkdirSync(directory, { recursive: true });
  const logFile = logFileOf(component, directory);
  const log = openSync(logFile, 'a');
  const logStart = fstatSync(log).size;
  const [, script = ''] = process.argv;
  const file = loaded.file === null ? [] : [loaded.file];
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, component.name, 'start', ...file],
    {
      detached: true,
      env: { ...process.env, [BACKGROUND_VARIABLE]: '1' },
      stdio: ['ignore', log, log, 'ipc'],
    },
  );
  closeSync(log);
  const outcome = await firstOutcome(child, logFile);
  if (outcome.kind === 'ready') {
    child.disconnect();
    child.unref();
    print(loaded.startedText(outcome).trimEnd());
    print(`It runs in the background as process ${String(child.pid)}; its log is ${logFile}.`);
    print(
      `End it with \`robustctl ${component.name} stop${file.length === 0 ? '' : ` ${file.join('')}`}\`.`,
    );
    return;
  }
  if (outcome.kind === 'late') child.kill('SIGKILL');
  note(tailOf(logFile, logStart));
  throw new CommandError(
    outcome.exitCode,
    `${component.name} did not start: ${outcome.kind === 'late' ? 'not ready in time' : `it exited with ${String(outcome.exitCode)}`}; its log is ${logFile}`,
  );
}

type Outcome = ReadyMessage | { readonly kind: 'exited' | 'late'; readonly exitCode: ExitCode };

function firstOutcome(child: ChildProcess, logFile: string): Promise<Outcome> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const progress = setInterval(() => {
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      note(`starting … ${String(seconds)} s (log: ${logFile})`);
    }, 2000);
    const deadline = setTimeout(
      () => settle({ kind: 'late', exitCode: ExitCode.timedOut }),
      READY_TIMEOUT_MS,
    );
    const settle = (outcome: Outcome): void => {
      clearInterval(progress);
      clearTimeout(deadline);
      resolve(outcome);
    };
    child.once('message', (message) => settle(message as ReadyMessage));
    child.once('exit', (code) =>
      settle({ kind: 'exited', exitCode: (code ?? ExitCode.failed) as ExitCode }),
    );
    child.once('error', (error) => {
      clearInterval(progress);
      clearTimeout(deadline);
      reject(
        new CommandError(ExitCode.software, `cannot start a process: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
}

function tailOf(logFile: string, start: number): string {
  const text = readFileSync(logFile).subarray(start).toString('utf8');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
