import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessCluster } from './cluster.fixture.ts';

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

test('members share a token, and nobody without it reads or changes anything', async () => {
  writeFileSync(join(cluster.directory, 'token'), 'a secret\n');
  const ids = [1, 2];
  await Promise.all(ids.map((id) => cluster.start(id, ids, ['cluster_token_file = "token"'])));
  const put = ['kv', 'put', 'a', 'b', '--timeout', '30'];
  await cluster.ask([...put, '--token-file', 'token'], ids);
  const servers = (await cluster.addressesOf(ids)).join(',');
  writeFileSync(join(cluster.directory, 'wrong'), 'another\n');
  for (const flags of [[], ['--token-file', 'wrong']]) {
    const { exitCode, errors } = await cluster.run(['kv', 'get', 'a', '-s', servers, ...flags]);
    expect([exitCode, errors]).toEqual([77, expect.stringContaining('token')]);
    const members = await cluster.run(['place', 'remove', '2', '-s', servers, ...flags]);
    expect(members.exitCode).toBe(77);
  }
});

test('a member that others can reach without showing anything does not start', async () => {
  await cluster.configure(1, [1], ['addr = "0.0.0.0"']);
  const { exitCode, errors } = await cluster.run(['place', 'start', 'node-1.toml']);
  expect([exitCode, errors]).toEqual([78, expect.stringContaining('cluster_token_file')]);
});

/** An authority and one certificate that it vouches for, as members and clients show it. */
function makeCertificates(directory: string): void {
  const openssl = (...words: readonly string[]): void => {
    execFileSync('openssl', words, { cwd: directory, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority');
  openssl('req', ...key, '-keyout', 'member.key', '-out', 'member.csr', '-subj', '/CN=member');
  writeFileSync(join(directory, 'san'), 'subjectAltName=IP:127.0.0.1\n');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san'];
  openssl('x509', '-req', '-in', 'member.csr', ...authority, '-out', 'member.pem', '-days', '2');
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasOpenssl())('members and clients show each other certificates', async () => {
  makeCertificates(cluster.directory);
  const tls = ['enable = true', 'cert = "member.pem"', 'key = "member.key"', 'ca = "ca.pem"'];
  const section = ['[tls]', ...tls, 'client_certificate = "required"'].join('\n');
  const ids = [1, 2];
  await Promise.all(ids.map((id) => cluster.start(id, ids, [section])));
  const own = ['--tls-ca', 'ca.pem', '--tls-cert', 'member.pem', '--tls-key', 'member.key'];
  await cluster.ask(['kv', 'put', 'a', 'b', '--timeout', '30', ...own], ids);
  const servers = (await cluster.addressesOf(ids)).join(',');
  const flags = ['-s', servers, '--timeout', '1'];
  for (const without of [[], ['--tls-ca', 'ca.pem']]) {
    const { exitCode } = await cluster.run(['kv', 'get', 'a', ...flags, ...without]);
    expect(exitCode).toBe(69);
  }
});
