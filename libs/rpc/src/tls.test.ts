import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Revision } from '@robustmq/placement';
import { afterEach, describe, expect, test } from 'vitest';
import { openChannel, defaultChannelLimits } from './client/rpc-channel.ts';
import { kvService } from './contract/store-services.ts';
import { type RpcError, rpcStatus } from './rpc-error.ts';
import type { RpcServer } from './server/rpc-server.ts';
import { makeTestCertificates, type TestCertificates } from './testing/certificates.ts';
import { kvStub } from './testing/kv-stub.ts';
import { rejection, RpcFixture } from './testing/rpc-fixture.ts';
import { type ChannelTls, readPem, RpcSetupError } from './tls.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const found = makeTestCertificates();
const made = found as TestCertificates;
const compact = async (): Promise<Record<string, never>> => ({});

async function serve(clients: 'any' | 'certified'): Promise<RpcServer> {
  const clientAuthority = clients === 'certified' ? made.authority : null;
  return fixture.serve([kvStub({ compact })], { tls: { ...made.server, clientAuthority } });
}

async function statusOfCall(server: RpcServer, tls: ChannelTls | null): Promise<string> {
  const client = fixture.channel(server.port, { tls }).clientOf(kvService);
  const call = client.compact({ revision: 1 as Revision }, { deadlineMs: 5_000, signal: null });
  return call.then(
    () => 'OK',
    (error: unknown) =>
      `${rpcStatus[(error as RpcError).status]}, sent: ${(error as RpcError).sent}`,
  );
}

const NOT_SENT = 'UNAVAILABLE, sent: no';

describe.skipIf(found === null)('TLS', () => {
  const cases: readonly {
    readonly why: string;
    readonly clients: 'any' | 'certified';
    readonly tls: () => ChannelTls | null;
    readonly status: string | RegExp;
  }[] = [
    {
      why: 'a client that trusts the authority',
      clients: 'any',
      tls: () => ({ authority: made.authority, own: null, serverName: null }),
      status: 'OK',
    },
    {
      why: 'a client that expects one of the certificate’s names',
      clients: 'any',
      tls: () => ({ authority: made.authority, own: null, serverName: 'placement.test' }),
      status: 'OK',
    },
    {
      why: 'a client that expects another name',
      clients: 'any',
      tls: () => ({ authority: made.authority, own: null, serverName: 'other.test' }),
      status: NOT_SENT,
    },
    {
      why: 'a client that trusts another authority',
      clients: 'any',
      tls: () => ({ authority: made.stranger.certificate, own: null, serverName: null }),
      status: NOT_SENT,
    },
    { why: 'a client without TLS', clients: 'any', tls: () => null, status: /^UNAVAILABLE/ },
    {
      why: 'a client with the certificate asked for',
      clients: 'certified',
      tls: () => ({ authority: made.authority, own: made.client, serverName: null }),
      status: 'OK',
    },
    {
      why: 'a client without the certificate asked for',
      clients: 'certified',
      tls: () => ({ authority: made.authority, own: null, serverName: null }),
      status: /^UNAVAILABLE/,
    },
    {
      why: 'a client with a certificate that nobody vouches for',
      clients: 'certified',
      tls: () => ({ authority: made.authority, own: made.stranger, serverName: null }),
      status: /^UNAVAILABLE/,
    },
  ];
  for (const { why, clients, tls, status } of cases) {
    test(`for ${why}: ${String(status)}`, async () => {
      const server = await serve(clients);
      const given = await statusOfCall(server, tls());
      if (typeof status === 'string') expect(given).toBe(status);
      else expect(given).toMatch(status);
    });
  }

  test('below version 1.2 is refused', async () => {
    const server = await serve('any');
    const options = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } as const;
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.port,
      rejectUnauthorized: false,
      ciphers,
      ...options,
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/TLS|SSL/);
  });

  test('with a key that is not the certificate’s is refused at once', async () => {
    const tls = {
      certificate: made.server.certificate,
      key: made.client.key,
      clientAuthority: null,
    };
    const error = await rejection(fixture.serve([], { tls }));
    expect((error as RpcSetupError).fault.code).toBe('RPC_TLS_INVALID');
    const own = { certificate: Buffer.from('nothing'), key: made.client.key };
    const options = { address: 'a:1', token: null, limits: defaultChannelLimits };
    const open = (): unknown =>
      openChannel({ ...options, tls: { authority: null, own, serverName: null } });
    expect(open).toThrow(RpcSetupError);
  });
});

test('a certificate file is read, or its name is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rpc-pem-'));
  fixture.cleanup(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'a.pem'), 'text');
  expect(String(await readPem(join(directory, 'a.pem')))).toBe('text');
  const error = (await rejection(readPem(join(directory, 'b.pem')))) as RpcSetupError;
  expect(error.fault.code).toBe('RPC_TLS_FILE_UNREADABLE');
  expect(error.fault.detail).toContain('b.pem');
});
