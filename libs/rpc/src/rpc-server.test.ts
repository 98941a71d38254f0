import { afterEach, expect, test } from 'vitest';
import { PlacementError, type LeaseId, type Revision } from '@robustmq/placement';
import { defaultChannelLimits, openChannel, type RpcChannel } from './client/rpc-channel.ts';
import { kvService, type KvMethods } from './contract/store-services.ts';
import { RpcError, rpcStatus } from './rpc-error.ts';
import { type Implementation, mount } from './server/implementation.ts';
import { silentObserver } from './server/interceptor.ts';
import { defaultServerLimits, openRpcServer, type RpcServer } from './server/rpc-server.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const kv: Implementation<KvMethods> = {
  set: async () => ({ revision: 1 as Revision }),
  get: async ({ key }) => ({
    keyValue: {
      key,
      value: Uint8Array.of(1),
      createRevision: 1 as Revision,
      modRevision: 2 as Revision,
      version: 2,
      lease: null,
    },
    revision: 5 as Revision,
  }),
  delete: async () => {
    throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: 'a:1' });
  },
  exists: async () => {
    throw new Error('secret');
  },
  range: async () => ({
    kind: 'range',
    keyValues: [],
    count: 0,
    more: false,
    revision: 1 as Revision,
  }),
  transact: () => new Promise(() => {}),
  compact: async () => ({}),
  pipeline: (call) => {
    call.onMessage((requests) =>
      call.write(requests.map(({ id }) => ({ id, outcome: { kind: 'revoke' } }))),
    );
    call.onHalfClose(() => call.finish());
  },
};
const call = { deadlineMs: 5000, signal: null };

async function open(): Promise<{ server: RpcServer; channel: RpcChannel }> {
  const server = await openRpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    clusterToken: 'secret',
    services: [mount(kvService, kv)],
    limits: defaultServerLimits,
    observer: silentObserver,
  });
  cleanups.push(() => server.close(0));
  const channel = openChannel({
    address: `127.0.0.1:${server.port}`,
    tls: null,
    token: 'secret',
    limits: defaultChannelLimits,
  });
  cleanups.push(() => channel.close());
  return { server, channel };
}

test('smoke', async () => {
  const { channel } = await open();
  const client = channel.clientOf(kvService);
  expect((await client.get({ key: 'k' }, call)).keyValue?.key).toBe('k');
  const error = (await client.delete({ key: 'k' }, call).catch((e: unknown) => e)) as RpcError;
  expect(error.fault).toEqual({ code: 'PLACEMENT_NOT_LEADER', leader: 'a:1' });
  const internal = (await client.exists({ key: 'k' }, call).catch((e: unknown) => e)) as RpcError;
  expect(internal.message).toBe('INTERNAL: internal error');
  const slow = (await client
    .transact(
      { compare: [], then: [], otherwise: [], requestId: null },
      { deadlineMs: 50, signal: null },
    )
    .catch((e: unknown) => e)) as RpcError;
  expect(slow.status).toBe(rpcStatus.DEADLINE_EXCEEDED);
  const stream = client.pipeline({ signal: null, metadata: {} });
  const got = new Promise((resolve) => stream.onMessage(resolve));
  stream.write([{ id: 7, deadlineMs: 0, call: { kind: 'revoke', id: 3 as LeaseId } }]);
  expect(await got).toEqual([{ id: 7, outcome: { kind: 'revoke' } }]);
  stream.finish();
  expect(await new Promise((resolve) => stream.onEnd(resolve))).toBeNull();
});
