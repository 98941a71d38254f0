import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROCESS_FILE, readProcessFile } from './process/process-file.ts';
import { identityOf, isRunning } from './process/process-identity.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ANY_PORTS = {
  ROBUST_MQ_SERVER_NETWORK_TCP_PORT: '0',
  ROBUST_MQ_SERVER_NETWORK_WEBSOCKET_PORT: 'off',
  ROBUST_MQ_SERVER_HTTP_PORT: '0',
};

let directory: string;
let data: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robustctl-'));
  data = join(directory, 'data/standalone');
  children = [];
});

afterEach(async () => {
  await run(['standalone', 'stop', '--force']);
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

function begin(words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=source', MAIN, ...words], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...ANY_PORTS },
  });
  children.push(child);
  return child;
}

async function run(
  words: readonly string[],
): Promise<{ exitCode: number | null; output: string; errors: string }> {
  const child = begin(words);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, output, errors }));
  });
}

/** Resolves when the child's standard output holds the words. */
function said(child: ChildProcess, words: string): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
    child.on('close', () => reject(new Error(`ended without saying "${words}": ${text}`)));
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.on('close', resolve);
  });
}

describe('in the background', () => {
  test('a broker is started once, shown, used and stopped', async () => {
    const started = await run(['standalone', 'start', '--daemon']);
    expect(started.exitCode, started.errors).toBe(0);
    expect(started.output).toContain('mqtt://127.0.0.1:');

    const status = await run(['standalone', 'status', '--output', 'json']);
    expect(status.exitCode).toBe(0);
    expect(JSON.parse(status.output)).toMatchObject({ running: true, health: { statusCode: 200 } });

    const again = await run(['standalone', 'start']);
    expect([again.exitCode, again.errors]).toEqual([69, expect.stringContaining('already runs')]);

    const port = String(readProcessFile(data)?.listeners[0]?.port);
    const published = await run(['pub', '-p', port, '-t', 'a', '-m', 'kept', '-q', '1', '-r']);
    expect(published.exitCode, published.errors).toBe(0);
    const words = [
      'sub',
      '-p',
      port,
      '-t',
      '#',
      '--count',
      '1',
      '--wait',
      '20',
      '--format',
      'topic',
    ];
    expect((await run(words)).output).toBe('a kept\n');

    expect((await run(['standalone', 'stop'])).exitCode).toBe(0);
    expect(existsSync(join(data, PROCESS_FILE))).toBe(false);
  });

  test('a start that fails says why', async () => {
    mkdirSync(join(directory, 'data'));
    writeFileSync(data, 'a file where the directory should be');
    const { exitCode, errors } = await run(['standalone', 'start', '--daemon']);
    expect(exitCode).toBe(74);
    expect(errors).toContain('cannot be used');
    rmSync(data);
  });
});

describe('in the foreground', () => {
  test('SIGTERM drains and stops with code 0', async () => {
    const child = begin(['standalone', 'start']);
    await said(child, 'is ready');
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
  });
});

describe('the placement center of a standalone process', () => {
  test('is opened beside the broker, and survives kill -9 as another incarnation', async () => {
    const incarnations: string[] = [];
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const child = begin(['standalone', 'start']);
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await said(child, 'the placement center of this process is open');
      incarnations.push(/"incarnation":(\d+)/.exec(text)?.[1] ?? '');
      child.kill(signal);
      await exitOf(child);
    }
    expect(incarnations).toEqual(['1', '2']);
  });
});

describe('the process file', () => {
  const record = {
    component: 'standalone',
    version: '0',
    startedAt: '',
    listeners: [],
    httpAddress: null,
  };

  test('of another process with the same number is not believed, and that process is left alone', async () => {
    mkdirSync(data, { recursive: true });
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    children.push(child);
    const reused = { ...record, pid: child.pid, startedTicks: 1 };
    writeFileSync(join(data, PROCESS_FILE), JSON.stringify(reused));
    const stopped = await run(['standalone', 'stop']);
    expect([stopped.exitCode, stopped.output]).toEqual([
      0,
      expect.stringContaining('does not run'),
    ]);
    expect(child.exitCode).toBeNull();
    expect(child.signalCode).toBeNull();
  });

  test('that a crash tore is replaced', async () => {
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, PROCESS_FILE), '{"pid": 12');
    const child = begin(['standalone', 'start']);
    await said(child, 'is ready');
    expect(readProcessFile(data)?.pid).toBe(child.pid);
    child.kill('SIGTERM');
    await exitOf(child);
  });

  test('names a process by its number and its start', () => {
    const own = identityOf(process.pid);
    expect(own !== null && isRunning(own)).toBe(true);
    expect(isRunning({ pid: process.pid, startedTicks: 1 })).toBe(false);
  });
});
