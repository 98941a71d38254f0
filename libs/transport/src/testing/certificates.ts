/** Certificates for tests, made with the `openssl` command into a directory that the test removes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificates {
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Self-signed: no authority vouches for it. */
  readonly strangerCertificate: string;
  readonly strangerKey: string;
  readonly authority: string;
  readonly directory: string;
  authorityPem(): Buffer;
  remove(): void;
}

/** @returns null, with a warning on standard error, when there is no `openssl` */
export function makeTestCertificates(): TestCertificates | null {
  const directory = mkdtempSync(join(tmpdir(), 'transport-test-'));
  const file = (name: string): string => join(directory, name);
  try {
    selfSigned(file('authority'), '/CN=Test Authority');
    selfSigned(file('stranger'), '/CN=stranger');
    signed(directory, 'server', { subject: '/CN=localhost', names: 'DNS:localhost,IP:127.0.0.1' });
    signed(directory, 'client', {
      subject: '/O=Plant/CN=device-1',
      names: 'DNS:device-1.example,URI:urn:device:1',
    });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write('WARNING: no openssl command: the TLS tests are skipped\n');
    return null;
  }
  return {
    serverCertificate: file('server.crt'),
    serverKey: file('server.key'),
    clientCertificate: file('client.crt'),
    clientKey: file('client.key'),
    strangerCertificate: file('stranger.crt'),
    strangerKey: file('stranger.key'),
    authority: file('authority.crt'),
    directory,
    authorityPem: () => readFileSync(file('authority.crt')),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function selfSigned(path: string, subject: string): void {
  const output = ['-keyout', `${path}.key`, '-out', `${path}.crt`];
  openssl(['req', '-x509', ...NEW_KEY, '-days', '2', '-subj', subject, ...output]);
}

function signed(
  directory: string,
  name: string,
  as: { readonly subject: string; readonly names: string },
): void {
  const file = (extension: string): string => join(directory, `${name}.${extension}`);
  writeFileSync(file('ext'), `subjectAltName=${as.names}\n`);
  openssl(['req', ...NEW_KEY, '-subj', as.subject, '-keyout', file('key'), '-out', file('csr')]);
  const authority = [
    '-CA',
    join(directory, 'authority.crt'),
    '-CAkey',
    join(directory, 'authority.key'),
  ];
  const output = ['-CAcreateserial', '-days', '2', '-extfile', file('ext'), '-out', file('crt')];
  openssl(['x509', '-req', '-in', file('csr'), ...authority, ...output]);
}

function openssl(words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
