import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { splitAltNames } from './client-certificate.ts';
import { listen } from './listen.ts';
import { ListenError, type ListenerOptions, type TlsOptions } from './listener.ts';
import { PLAIN, tlsOptionsOf, WEBSOCKET } from './testing/carriers.ts';
import { makeTestCertificates, type TestCertificates } from './testing/certificates.ts';
import { RecordingServer } from './testing/recording-server.ts';

const made = makeTestCertificates();
afterAll(() => made?.remove());

// Skips, and so says loudly that TLS is not tested, where there is no openssl command.
test.skipIf(made === null)('openssl makes the certificates of these tests', () => {
  expect(made).not.toBeNull();
});

describe('the alternative names of a certificate', () => {
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ['', [], 'none'],
    ['DNS:a.example, IP Address:10.0.0.1', ['DNS:a.example', 'IP Address:10.0.0.1'], 'two'],
    ['URI:"urn:a, DNS:evil"', ['URI:urn:a, DNS:evil'], 'a comma within quotes joins nothing'],
    [String.raw`DNS:"a\", DNS:\"b", DNS:c`, ['DNS:a", DNS:"b', 'DNS:c'], 'escaped quotes'],
  ];
  for (const [text, names, why] of rows) {
    test(why, () => {
      expect(splitAltNames(text)).toEqual(names);
    });
  }
});

describe.skipIf(made === null)('a TLS listener', () => {
  const certificates = made as TestCertificates;
  let server = new RecordingServer();
  const clients: TLSSocket[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await server.stop();
  });

  async function start(changes: Partial<TlsOptions>): Promise<RecordingServer> {
    server = new RecordingServer();
    await server.start(withTls(changes));
    return server;
  }

  function withTls(changes: Partial<TlsOptions>): ListenerOptions {
    return { ...PLAIN, kind: 'tls', tls: { ...tlsOptionsOf(certificates), ...changes } };
  }

  function dial(changes: ConnectionOptions): TLSSocket {
    const client = connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: certificates.authorityPem(),
      ...changes,
    });
    clients.push(client);
    client.on('error', () => {});
    client.resume();
    return client;
  }

  /** Unlike `once`, indifferent to the errors that go before. */
  function closeOf(client: TLSSocket): Promise<void> {
    return new Promise((resolve) => {
      client.on('close', () => resolve());
    });
  }

  const mutual = { certificateAuthorityFile: certificates?.authority ?? null };
  const asDevice = (): ConnectionOptions => ({
    cert: readFileSync(certificates.clientCertificate),
    key: readFileSync(certificates.clientKey),
  });
  const asStranger = (): ConnectionOptions => ({
    cert: readFileSync(certificates.strangerCertificate),
    key: readFileSync(certificates.strangerKey),
  });

  for (const clientCertificate of ['required', 'optional'] as const) {
    test(`tells a verified client certificate where it is ${clientCertificate}`, async () => {
      await start({ ...mutual, clientCertificate });
      dial(asDevice());
      const { connection } = await server.connection(0);
      expect(connection.clientCertificate).toMatchObject({
        commonName: 'device-1',
        subjectAltNames: ['DNS:device-1.example', 'URI:urn:device:1'],
      });
      expect(connection.clientCertificate?.fingerprint256).toMatch(
        /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/,
      );
    });

    test(`refuses a certificate of a stranger where it is ${clientCertificate}`, async () => {
      await start({ ...mutual, clientCertificate });
      await closeOf(dial(asStranger()));
      expect(server.accepted).toHaveLength(0);
    });
  }

  test('accepts a client without a certificate where it is optional', async () => {
    await start({ ...mutual, clientCertificate: 'optional' });
    dial({});
    const { connection } = await server.connection(0);
    expect(connection.clientCertificate).toBeNull();
  });

  test('refuses a client without a certificate where it is required', async () => {
    await start({ ...mutual, clientCertificate: 'required' });
    await closeOf(dial({}));
    expect(server.accepted).toHaveLength(0);
  });

  test('does not look at a certificate that nobody asked for', async () => {
    await start({});
    dial(asStranger());
    expect((await server.connection(0)).connection.clientCertificate).toBeNull();
  });

  test('refuses versions below the minimum', async () => {
    await start({ minimumVersion: 'TLSv1.3' });
    await closeOf(dial({ maxVersion: 'TLSv1.2' }));
    expect(server.accepted).toHaveLength(0);
    dial({ maxVersion: 'TLSv1.3' });
    await server.connection(0);
  });

  test('closes on a renegotiation, which costs the server more than the client', async () => {
    await start({});
    const client = dial({ maxVersion: 'TLSv1.2' });
    await once(client, 'secureConnect');
    client.renegotiate({}, () => {});
    const cause = await (await server.connection(0)).cause();
    expect(cause.kind).toBe('failed');
  });

  test('reload uses the new certificate for new connections, and keeps the open ones', async () => {
    const own = {
      certificateFile: join(certificates.directory, 'live.crt'),
      privateKeyFile: join(certificates.directory, 'live.key'),
    };
    copyFileSync(certificates.serverCertificate, own.certificateFile);
    copyFileSync(certificates.serverKey, own.privateKeyFile);
    await start(own);
    const before = dial({});
    await once(before, 'secureConnect');
    copyFileSync(certificates.strangerCertificate, own.certificateFile);
    expect(() => server.listener.reloadTls()).toThrow(/does not belong to the certificate/);
    const between = dial({});
    await once(between, 'secureConnect');
    expect(between.getPeerCertificate().subject.CN).toBe('localhost');
    copyFileSync(certificates.strangerKey, own.privateKeyFile);
    server.listener.reloadTls();
    const after = dial({ rejectUnauthorized: false });
    await once(after, 'secureConnect');
    expect(after.getPeerCertificate().subject.CN).toBe('stranger');
    before.write('still here');
    const accepted = await server.connection(0);
    await accepted.until(() => accepted.text === 'still here');
  });

  describe('does not start', () => {
    const garbage = (): string => {
      const file = join(certificates.directory, 'garbage.pem');
      writeFileSync(file, 'not PEM');
      return file;
    };
    const rows: readonly (readonly [string, string, () => Partial<TlsOptions>])[] = [
      ['LISTEN_TLS_FILE_UNREADABLE', 'a missing file', () => ({ certificateFile: '/nonexistent' })],
      ['LISTEN_TLS_CERTIFICATE_INVALID', 'a bad file', () => ({ certificateFile: garbage() })],
      ['LISTEN_TLS_KEY_INVALID', 'a bad key', () => ({ privateKeyFile: garbage() })],
      [
        'LISTEN_TLS_KEY_MISMATCH',
        'a key of another',
        () => ({ privateKeyFile: certificates.clientKey }),
      ],
      ['LISTEN_TLS_AUTHORITY_MISSING', 'no authority', () => ({ clientCertificate: 'required' })],
      ['LISTEN_TLS_SETTINGS_INVALID', 'no such cipher', () => ({ ciphers: 'NO-SUCH-CIPHER' })],
    ];
    for (const [code, why, changes] of rows) {
      test(`with ${why}, and names the listener`, async () => {
        const fault = await listen(withTls(changes()), () => {}).catch((error: unknown) => error);
        expect(fault).toBeInstanceOf(ListenError);
        expect(fault).toMatchObject({ code, message: expect.stringContaining('listener test') });
      });
    }
  });

  test('a WebSocket listener with TLS needs both of its sections', async () => {
    const options = { ...withTls({}), kind: 'websocket-tls' as const };
    await expect(listen(options, () => {})).rejects.toMatchObject({
      code: 'LISTEN_SECTION_MISSING',
    });
    const without = { ...options, tls: null, websocket: WEBSOCKET };
    await expect(listen(without, () => {})).rejects.toMatchObject({
      code: 'LISTEN_SECTION_MISSING',
    });
  });
});
