/** Certificates for tests, made with the `openssl` command into a directory that is removed at once. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM. */
export interface TestPair {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** An authority, what it vouches for, and a stranger it does not. */
export interface TestCertificates {
  readonly authority: Buffer;
  readonly server: TestPair;
  readonly client: TestPair;
  readonly stranger: TestPair;
}

/** @returns null, with a warning on standard error, when there is no `openssl` */
export function makeTestCertificates(): TestCertificates | null {
  const directory = mkdtempSync(join(tmpdir(), 'rpc-test-'));
  try {
    selfSigned(directory, 'authority');
    selfSigned(directory, 'stranger');
    signed(directory, 'server', 'DNS:placement.test,IP:127.0.0.1');
    signed(directory, 'client', 'DNS:broker.test');
    return {
      authority: pair(directory, 'authority').certificate,
      server: pair(directory, 'server'),
      client: pair(directory, 'client'),
      stranger: pair(directory, 'stranger'),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write('WARNING: no openssl command: the TLS tests are skipped\n');
    return null;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function pair(directory: string, name: string): TestPair {
  return {
    certificate: readFileSync(join(directory, `${name}.crt`)),
    key: readFileSync(join(directory, `${name}.key`)),
  };
}

function selfSigned(directory: string, name: string): void {
  const path = join(directory, name);
  const output = ['-keyout', `${path}.key`, '-out', `${path}.crt`];
  openssl(['req', '-x509', ...NEW_KEY, '-days', '2', '-subj', `/CN=${name}`, ...output]);
}

function signed(directory: string, name: string, alternativeNames: string): void {
  const path = join(directory, name);
  const authority = join(directory, 'authority');
  writeFileSync(`${path}.ext`, `subjectAltName=${alternativeNames}\n`);
  const request = ['-subj', `/CN=${name}`, '-keyout', `${path}.key`, '-out', `${path}.csr`];
  openssl(['req', ...NEW_KEY, ...request]);
  const signer = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
  const output = ['-days', '2', '-extfile', `${path}.ext`, '-out', `${path}.crt`];
  openssl(['x509', '-req', '-in', `${path}.csr`, ...signer, ...output]);
}

function openssl(words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
