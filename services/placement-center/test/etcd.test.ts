import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster, put, SOON, textAt, until } from './cluster.fixture.ts';

let cluster: ProcessCluster;
let etcd: ChildProcess | null;

beforeEach(() => {
  cluster = new ProcessCluster();
  etcd = null;
});

afterEach(async () => {
  etcd?.kill('SIGKILL');
  await cluster.close();
});

function hasEtcd(): boolean {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasEtcd())(
  'two processes serve the same on an etcd, and store nothing themselves',
  async () => {
    const [client, peer] = await cluster.addressesOf([101, 102]);
    const url = `http://${client ?? ''}`;
    etcd = spawn(
      'etcd',
      [
        ...[
          '--data-dir',
          join(cluster.directory, 'etcd'),
          '--logger',
          'zap',
          '--log-level',
          'error',
        ],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', `http://${peer ?? ''}`],
      ],
      { stdio: 'ignore' },
    );
    const backend = ['backend = "etcd"', `[etcd]\nendpoints = ["${url}"]`];
    await Promise.all([1, 2].map((id) => cluster.start(id, [1, 2], backend)));
    const first = await cluster.connect([1]);
    await until(() =>
      first.transact(put('a', 'one'), SOON).then(
        () => true,
        () => null,
      ),
    );
    expect(await textAt(await cluster.connect([2]), 'a')).toBe('one');
    const servers = await cluster.addressOf(1);
    const members = await cluster.run(['place', 'members', '-s', servers, '--timeout', '1']);
    expect([members.exitCode, members.errors]).toEqual([69, expect.stringContaining('etcd')]);
    expect(await cluster.stop(1)).toBe(0);
  },
);
