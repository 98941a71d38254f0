import { describe, expect, test } from 'vitest';
import { listen } from './listen.ts';
import type { ListenerOptions } from './listener.ts';
import { isLoopbackAddress, plainAddress } from './peer-address.ts';
import { probeRawEngine } from './raw-probe.ts';
import { PLAIN } from './testing/carriers.ts';

describe('the raw engine', () => {
  test('passes its probe on this Node.js', async () => {
    expect(await probeRawEngine()).toEqual({ kind: 'usable' });
  });

  test('is what auto chooses for plain TCP only', async () => {
    const tcp = await listen(PLAIN, () => {});
    expect(tcp).toMatchObject({ engine: 'raw', engineFallbackReason: null });
    await tcp.stop();
    await tcp.stop();
    const websocket = { path: '/', messageBytesMax: 1, allowedOrigins: null };
    const other = await listen({ ...PLAIN, kind: 'websocket', websocket }, () => {});
    expect(other).toMatchObject({ engine: 'socket', engineFallbackReason: null });
    await other.stop();
  });

  test('shares a port between listeners', async () => {
    const first = await listen({ ...PLAIN, reusePort: true }, () => {});
    const port = first.identity.port;
    const second = await listen({ ...PLAIN, reusePort: true, port }, () => {});
    expect(second.identity.port).toBe(port);
    await first.stop();
    await second.stop();
  });
});

describe('a listener that cannot start says what to do', () => {
  async function faultOf(options: ListenerOptions): Promise<unknown> {
    return listen(options, () => {}).catch((error: unknown) => error);
  }

  test('when the port is in use', async () => {
    const first = await listen(PLAIN, () => {});
    const port = first.identity.port;
    expect(await faultOf({ ...PLAIN, name: 'plain', port })).toMatchObject({
      name: 'ListenError',
      code: 'LISTEN_PORT_IN_USE',
      message: expect.stringMatching(
        new RegExp(`^listener plain: .*port ${port} of 127\\.0\\.0\\.1.*in use.*another port`),
      ),
    });
    await first.stop();
  });

  test('when the address belongs to another machine', async () => {
    const code = 'LISTEN_ADDRESS_UNAVAILABLE';
    expect(await faultOf({ ...PLAIN, host: '192.0.2.1' })).toMatchObject({ code });
  });

  test('when a section is missing', async () => {
    const code = 'LISTEN_SECTION_MISSING';
    expect(await faultOf({ ...PLAIN, kind: 'tls' })).toMatchObject({ code });
    expect(await faultOf({ ...PLAIN, kind: 'websocket' })).toMatchObject({ code });
  });
});

describe('where a listener can be reached from', () => {
  const rows = [
    ['127.0.0.1', true, 'the usual address'],
    ['127.255.0.9', true, 'the whole of 127.0.0.0/8'],
    ['::1', true, 'IPv6'],
    ['::ffff:127.0.0.1', true, 'IPv4-mapped'],
    ['0.0.0.0', false, 'every interface'],
    ['::', false, 'every interface, IPv6'],
    ['10.127.0.1', false, '127 must come first'],
    ['fe80::1', false, 'link-local'],
  ] as const;
  for (const [address, loopback, why] of rows) {
    test(`${address} is ${loopback ? '' : 'not '}loopback: ${why}`, () => {
      expect(isLoopbackAddress(address)).toBe(loopback);
    });
  }

  test('the identity tells it of the address that is bound', async () => {
    const named = await listen({ ...PLAIN, host: 'localhost' }, () => {});
    expect(named.identity.loopback).toBe(true);
    await named.stop();
    const all = await listen({ ...PLAIN, host: '0.0.0.0' }, () => {});
    expect(all.identity).toMatchObject({ address: '0.0.0.0', loopback: false });
    await all.stop();
  });

  test('only an IPv4-mapped address is rewritten', () => {
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(plainAddress('::ffff:c000:201')).toBe('::ffff:c000:201');
    expect(plainAddress('192.0.2.1')).toBe('192.0.2.1');
  });
});
