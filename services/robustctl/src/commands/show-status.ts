import type { Component } from '../component.ts';
import { ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { askHealth } from '../process/health.ts';
import type { Health } from '../process/health.ts';
import type { ProcessRecord, WorkerRecord } from '../process/process-file.ts';
import { runningProcess } from '../process/stop-process.ts';
import { dataDirectoryOf } from './start-component.ts';

/** Prints whether a component runs and what it says of itself. Sets exit code 69 when it does not run or is not well. */
export async function showStatus(
  component: Component,
  named: string | undefined,
  output: OutputFormat,
): Promise<void> {
  const directory = dataDirectoryOf(component, named);
  const running = runningProcess(directory);
  const health = running?.httpAddress == null ? null : await askHealth(running.httpAddress);
  const workersRun = running?.workers?.every(({ pid }) => pid !== null) ?? true;
  const well = running !== null && workersRun && (health === null || isWell(health));
  if (!well) process.exitCode = ExitCode.unavailable;
  if (output === 'json') {
    print(
      JSON.stringify({
        component: component.name,
        running: running !== null,
        directory,
        process: running,
        health,
      }),
    );
    return;
  }
  if (running === null) print(`${component.name} does not run (data directory ${directory})`);
  else print(statusTable(running, directory, health));
}

function statusTable(running: ProcessRecord, directory: string, health: Health | null): string {
  const rows: (readonly [string, string])[] = [
    ['component', running.component],
    ['state', running.listeners.length === 0 ? 'starting' : 'running'],
    ['process', String(running.pid)],
    ['version', running.version],
    ['started', running.startedAt],
    ['data', directory],
    ...running.listeners.map(
      ({ name, kind, address, port }) =>
        [`listener ${name}`, `${kind} ${address} port ${String(port)}`] as const,
    ),
    ['http', running.httpAddress ?? 'off'],
    ...(running.workers ?? []).map(workerRow),
    ...healthRows(health),
  ];
  return table(['what', 'value'], rows);
}

function workerRow({
  worker,
  nodeId,
  pid,
  httpAddress,
  restarts,
}: WorkerRecord): readonly [string, string] {
  const state = pid === null ? 'ended, starts again' : `process ${pid}`;
  const again = restarts === 0 ? '' : `, started again ${restarts} times`;
  return [`worker ${worker}`, `broker ${nodeId}, ${state}, http ${httpAddress ?? '-'}${again}`];
}

function healthRows(health: Health | null): (readonly [string, string])[] {
  if (health === null) return [];
  if (health.kind === 'silent') return [['health', `no answer: ${health.reason}`]];
  const verdict = isWell(health) ? 'well' : `not well (HTTP ${String(health.statusCode)})`;
  const rows: (readonly [string, string])[] = [['health', verdict]];
  return [...rows, ...checksOf(health.body)];
}

/** One row for each check of the broker's report (`checks: [{ name, ok, detail }]`). */
function checksOf(body: unknown): (readonly [string, string])[] {
  const checks = (body as { readonly checks?: unknown } | null)?.checks;
  if (!Array.isArray(checks)) return [];
  return checks.map(
    (check: { readonly name?: unknown; readonly ok?: unknown; readonly detail?: unknown }) => {
      const verdict = check.ok === true ? 'well' : 'NOT WELL';
      const detail =
        check.detail === undefined || check.detail === '' ? '' : `: ${String(check.detail)}`;
      return [`check ${String(check.name)}`, verdict + detail];
    },
  );
}

function isWell(health: Health): boolean {
  return health.kind === 'answered' && health.statusCode >= 200 && health.statusCode < 300;
}
