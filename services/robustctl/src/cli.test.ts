import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEMPLATE_PATHS, templateOf } from './configuration/templates.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'robustctl-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Runs one command line in an empty directory. */
function run(
  words: readonly string[],
  input = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', MAIN, ...words], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...environment },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, output, errors }));
    child.stdin.end(input);
  });
}

describe('help', () => {
  const commands = [
    ['--help'],
    ['standalone', 'start', '--help'],
    ['broker-mqtt', 'stop', '--help'],
    ['mqtt-server', 'status', '--help'],
    ['config', 'check', '--help'],
    ['config', 'explain', '--help'],
    ['placement-center', 'start', '--help'],
    ['place', 'status', '--help'],
    ['place', 'add-learner', '--help'],
    ['place', 'restore', '--help'],
    ['kv', 'get', '--help'],
    ['kv', 'watch', '--help'],
    ['engine', 'shard', 'move', '--help'],
    ['engine', 'verify', '--help'],
    ['passwd', '--help'],
    ['pub', '--help'],
    ['sub', '--help'],
  ];
  for (const words of commands) {
    test(`\`${words.join(' ')}\` is answered on standard output with code 0`, async () => {
      const { exitCode, output } = await run(words);
      expect(exitCode).toBe(0);
      expect(output).toMatch(/^Usage: robustctl/);
      expect(output).toContain('Exit codes:');
    });
  }
});

describe('exit codes', () => {
  const rows = [
    [['version'], 0, 'a plain answer'],
    [['nonsense'], 64, 'an unknown command'],
    [['pub'], 64, 'a flag that is missing'],
    [['pub', '-t', 'a', '-m', 'b', '-q', '3'], 64, 'a QoS that does not exist'],
    [['pub', '-t', 'a'], 64, 'nothing to publish'],
    [['sub', '-t', 'a', '-c'], 64, 'a session without a name'],
    [
      ['pub', '-t', 'a', '-m', 'b', '-V', '3.1.1', '--user-property', 'a=b'],
      64,
      'properties before 5.0',
    ],
    [['pub', '-t', 'a', '-m', 'b', '-p', '1'], 69, 'nobody listens'],
    [['pub', '-t', 'a', '-m', 'b', '--cafile', 'none.pem'], 74, 'a file that is not there'],
    [['engine', 'stop'], 0, 'there is nothing to stop, by the oldest name'],
    [['placement-center', 'status'], 69, 'a member that does not run'],
    [['place', 'stop'], 0, 'there is nothing to stop, by an alias'],
    [['meta', 'start', 'none.toml'], 78, 'a configuration that is not there, by another'],
    [['place', 'members', '-s', '127.0.0.1:1', '--timeout', '1'], 69, 'no member answers'],
    [['place', 'promote', 'x'], 64, 'no number of a member'],
    [['place', 'add-learner', '4', 'here'], 64, 'no address of a member'],
    [['place', 'restore', 'none.bak', '--data', 'new'], 74, 'a backup that is not there'],
    [['kv', 'get', 'a', '-s', '127.0.0.1:1', '--timeout', '1'], 69, 'nobody keeps keys there'],
    [['kv', 'put', 'a', 'b', '--file', 'c'], 64, 'two values'],
    [['kv', 'watch', 'a', '--from', '0'], 64, 'a revision that never was'],
    [['kv', 'get', 'a', '--tls-cert', 'none.pem', '--tls-key', 'none.pem'], 74, 'no certificate'],
    [['standalone', 'status'], 69, 'it does not run'],
    [['standalone', 'stop'], 0, 'there is nothing to stop'],
    [['standalone', 'start', 'none.toml'], 78, 'a configuration that is not there'],
    [['config', 'check', 'none.toml'], 78, 'the same when checking'],
    [['config', 'explain', 'network.tcp_prot'], 64, 'a key that does not exist'],
    [['config', 'explain', 'network.tcp_port'], 0, 'a key that does'],
    [['passwd', 'none.txt', 'x', '--delete'], 74, 'a password file that is not there'],
    [['passwd', 'users.txt', 'a:b', '--password-stdin'], 64, 'a password that is missing'],
  ] as const;
  for (const [words, expected, why] of rows) {
    test(`\`${words.join(' ')}\` is ${String(expected)}: ${why}`, async () => {
      const { exitCode, errors } = await run(words);
      expect(exitCode, errors).toBe(expected);
      expect(errors).not.toContain('a mistake of this program');
    });
  }
});

describe('configuration', () => {
  for (const path of TEMPLATE_PATHS) {
    test(`${path} is what its schema makes of it`, () => {
      expect(readFileSync(join(ROOT, path), 'utf8')).toBe(templateOf(path));
    });

    test(`${path} is fine`, async () => {
      const { exitCode, errors } = await run(['config', 'check', join(ROOT, path)]);
      expect([exitCode, errors]).toEqual([0, '']);
    });
  }

  test('a mistake is told with file, line, key and range, and as data when asked', async () => {
    writeFileSync(join(directory, 'bad.toml'), '[network]\ntcp_port = 99999\n');
    const { exitCode, errors } = await run(['config', 'check', 'bad.toml']);
    expect(exitCode).toBe(78);
    expect(errors).toContain(
      'bad.toml:2: error: network.tcp_port: is 99999, expected an integer from 0 to 65535',
    );
    const asData = await run(['config', 'check', 'bad.toml', '--output', 'json']);
    expect(asData.exitCode).toBe(78);
    expect(JSON.parse(asData.output)).toMatchObject({
      problems: [{ code: 'CONFIG_VALUE_REFUSED', origin: { line: 2 } }],
    });
  });

  test('starting a broker that others could use without a login is refused with the ways out', async () => {
    const open = { ROBUST_MQ_SERVER_NETWORK_HOST: '0.0.0.0' };
    const { exitCode, errors } = await run(['standalone', 'start'], '', open);
    expect(exitCode).toBe(78);
    expect(errors).toContain('allow_anonymous_remote = true');
  });
});

describe('passwords', () => {
  test('are added, changed and deleted, and stored as hashes only their owner reads', async () => {
    const words = ['passwd', 'p.txt', 'alice', '--password-stdin'];
    expect((await run(words, 'wonderland\n')).output).toBe('added alice\n');
    const file = join(directory, 'p.txt');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('wonderland');
    expect((await run(words, 'other\n')).output).toBe('changed the password of alice\n');
    expect((await run(['passwd', 'p.txt', 'alice', '--delete'])).output).toBe('deleted alice\n');
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});
