import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  type LeaseId,
  PlacementError,
  type PlacementFault,
  type Revision,
} from '@robustmq/placement';
import { afterEach, describe, expect, test } from 'vitest';
import type { ServiceClient } from '../client/rpc-channel.ts';
import { defaultChannelLimits } from '../client/rpc-channel.ts';
import { mqttService } from '../contract/control-services.ts';
import { type KvMethods, kvService } from '../contract/store-services.ts';
import { placementFaultOf } from '../fault-status.ts';
import { refusal, RpcError, type RpcStatus, rpcStatus } from '../rpc-error.ts';
import { kvStub } from '../testing/kv-stub.ts';
import { rejection, RpcFixture } from '../testing/rpc-fixture.ts';
import type { Implementation } from './implementation.ts';
import { type CallEnd, silentObserver } from './interceptor.ts';
import { defaultServerLimits, type RpcServerOptions } from './rpc-server.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const SOON = { deadlineMs: 10_000, signal: null };

async function serve(
  methods: Partial<Implementation<KvMethods>>,
  options: Partial<RpcServerOptions>,
): Promise<ServiceClient<KvMethods>> {
  const server = await fixture.serve([kvStub(methods)], options);
  const channel = fixture.channel(server.port, {});
  await channel.connect(SOON);
  return channel.clientOf(kvService);
}

const revision = (number: number): Revision => number as Revision;

describe('a unary call', () => {
  test('carries the request there and the reply back', async () => {
    const client = await serve(
      { set: async ({ value, lease }) => ({ revision: revision(value.length + (lease ?? 0)) }) },
      {},
    );
    const value = new Uint8Array(1_000_000);
    const reply = await client.set({ key: 'a', value, lease: 7 as LeaseId }, SOON);
    expect(reply).toEqual({ revision: 1_000_007 });
  });

  test('tells the handler who calls, how much time is left and what came beside', async () => {
    const seen: unknown[] = [];
    const client = await serve(
      {
        compact: async (_request, context) => {
          seen.push(
            context.method,
            context.metadata('authorization'),
            context.deadlineMs <= 10_000,
          );
          expect(context.peer).toMatch(/^127\.0\.0\.1:\d+$/);
          return {};
        },
      },
      {},
    );
    await client.compact({ revision: revision(1) }, SOON);
    expect(seen).toEqual(['/robustmq.placement.v1.KvService/Compact', null, true]);
  });

  const faults: readonly {
    readonly fault: PlacementFault;
    readonly status: keyof typeof rpcStatus;
  }[] = [
    { fault: { code: 'PLACEMENT_NOT_LEADER', leader: 'größe:1' }, status: 'FAILED_PRECONDITION' },
    { fault: { code: 'PLACEMENT_NOT_LEADER', leader: null }, status: 'FAILED_PRECONDITION' },
    { fault: { code: 'PLACEMENT_UNAVAILABLE', detail: 'a' }, status: 'UNAVAILABLE' },
    { fault: { code: 'PLACEMENT_CLOSED' }, status: 'UNAVAILABLE' },
    { fault: { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail: 'b' }, status: 'UNKNOWN' },
    { fault: { code: 'PLACEMENT_OVERLOADED', detail: 'c' }, status: 'RESOURCE_EXHAUSTED' },
    { fault: { code: 'PLACEMENT_FULL', detail: 'd' }, status: 'RESOURCE_EXHAUSTED' },
    { fault: { code: 'PLACEMENT_INVALID', detail: '' }, status: 'INVALID_ARGUMENT' },
    { fault: { code: 'PLACEMENT_UNAUTHENTICATED', detail: 'e' }, status: 'UNAUTHENTICATED' },
    { fault: { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: 5 as LeaseId }, status: 'NOT_FOUND' },
    { fault: { code: 'PLACEMENT_LEASE_EXISTS', lease: 5 as LeaseId }, status: 'ALREADY_EXISTS' },
    {
      fault: {
        code: 'PLACEMENT_REVISION_COMPACTED',
        requested: revision(4),
        oldest: revision(2 ** 52),
      },
      status: 'OUT_OF_RANGE',
    },
    {
      fault: { code: 'PLACEMENT_REVISION_FUTURE', requested: revision(9), current: revision(0) },
      status: 'OUT_OF_RANGE',
    },
  ];
  for (const { fault, status } of faults) {
    test(`${JSON.stringify(fault)} comes back whole, as ${status}`, async () => {
      const client = await serve(
        {
          compact: async () => {
            throw new PlacementError(fault);
          },
        },
        {},
      );
      const error = await rejection(client.compact({ revision: revision(1) }, SOON));
      expect(error).toBeInstanceOf(RpcError);
      expect((error as RpcError).status).toBe(rpcStatus[status]);
      expect(placementFaultOf(error, 'reads')).toEqual(fault);
    });
  }

  test('cuts a detail that would not fit into a header', async () => {
    const detail = 'ä'.repeat(100_000);
    const compact = async (): Promise<never> => {
      throw new PlacementError({ code: 'PLACEMENT_INVALID', detail });
    };
    const client = await serve({ compact }, {});
    const error = (await rejection(client.compact({ revision: revision(1) }, SOON))) as RpcError;
    expect(error.fault).toEqual({ code: 'PLACEMENT_INVALID', detail: `${'ä'.repeat(1024)}…` });
  });

  test('ends with the status that the handler chose', async () => {
    const compact = (): never => {
      throw refusal(rpcStatus.NOT_FOUND, 'no user anna');
    };
    const client = await serve({ compact }, {});
    const error = await rejection(client.compact({ revision: revision(1) }, SOON));
    expect(error).toMatchObject({ message: 'NOT_FOUND: no user anna', fault: null });
  });

  test('does not tell the words of a mistake, but reports it', async () => {
    const reported: unknown[] = [];
    const mistake = new Error('the password is 1234');
    const observer = {
      ...silentObserver,
      handlerFailed: (method: string, error: unknown) => reported.push(method, error),
    };
    const compact = async (): Promise<never> => {
      throw mistake;
    };
    const client = await serve({ compact }, { observer });
    const error = await rejection(client.compact({ revision: revision(1) }, SOON));
    expect((error as RpcError).message).toBe('INTERNAL: internal error');
    expect(reported).toEqual(['/robustmq.placement.v1.KvService/Compact', mistake]);
  });

  test('ends at the client’s deadline, and the handler hears of it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const get = (_request: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
      signal.addEventListener('abort', () => resolve());
      return new Promise(() => {});
    };
    const client = await serve({ get }, {});
    const error = await rejection(client.get({ key: 'a' }, { deadlineMs: 30, signal: null }));
    expect((error as RpcError).status).toBe(rpcStatus.DEADLINE_EXCEEDED);
    expect(placementFaultOf(error, 'changes').code).toBe('PLACEMENT_OUTCOME_UNKNOWN');
    expect(placementFaultOf(error, 'reads').code).toBe('PLACEMENT_UNAVAILABLE');
    await promise;
  });

  test('ends at the server’s deadline, whatever the client would wait', async () => {
    const limits = { ...defaultServerLimits, unaryDeadlineMsMax: 20 };
    const signals: AbortSignal[] = [];
    const get = (_request: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const client = await serve({ get }, { limits });
    const error = await rejection(client.get({ key: 'a' }, SOON));
    expect((error as RpcError).status).toBe(rpcStatus.DEADLINE_EXCEEDED);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('is cancelled by the caller’s signal, before and after it was sent', async () => {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const get = (_request: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
      signal.addEventListener('abort', () => resolve());
      controller.abort();
      return new Promise(() => {});
    };
    const client = await serve({ get }, {});
    const options = { deadlineMs: 10_000, signal: controller.signal };
    const error = await rejection(client.get({ key: 'a' }, options));
    expect(error).toMatchObject({ status: rpcStatus.CANCELLED, sent: 'perhaps' });
    await promise;
    const second = await rejection(client.get({ key: 'a' }, options));
    expect((second as RpcError).status).toBe(rpcStatus.CANCELLED);
  });

  test('of a service that is not served is UNIMPLEMENTED', async () => {
    const server = await fixture.serve([kvStub({})], {});
    const client = fixture.channel(server.port, {}).clientOf(mqttService);
    const request = { clusterName: 'c', userName: 'u' };
    const error = await rejection(client.deleteUser(request, SOON));
    expect((error as RpcError).status).toBe(rpcStatus.UNIMPLEMENTED);
  });

  test('with bytes that are no request is INVALID_ARGUMENT', async () => {
    const server = await fixture.serve([kvStub({})], {});
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    fixture.cleanup(() => client.close());
    const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
    const same = (bytes: Buffer): Buffer => bytes;
    const { path } = kvService.methods.get;
    client.makeUnaryRequest(path, same, same, Buffer.of(0x0a, 0xff), (error) => resolve(error));
    expect((await promise)?.code).toBe(rpcStatus.INVALID_ARGUMENT);
  });

  test('that is too large is refused before it is sent', async () => {
    const client = await serve({}, {});
    const value = new Uint8Array(4 * 1024 * 1024);
    const error = await rejection(client.set({ key: 'a', value, lease: null }, SOON));
    expect(error).toMatchObject({ status: rpcStatus.RESOURCE_EXHAUSTED, sent: 'no' });
    expect(placementFaultOf(error, 'changes')).toEqual({
      code: 'PLACEMENT_INVALID',
      detail: 'request of 4194312 bytes exceeds 4194304',
    });
  });

  test('that the server finds too large is refused, and the connection goes on', async () => {
    const limits = { ...defaultServerLimits, messageBytesMax: 1000 };
    const client = await serve({ set: async () => ({ revision: revision(3) }) }, { limits });
    const value = new Uint8Array(2000);
    const error = await rejection(client.set({ key: 'a', value, lease: null }, SOON));
    expect((error as RpcError).status).toBe(rpcStatus.RESOURCE_EXHAUSTED);
    const small = { key: 'a', value: new Uint8Array(10), lease: null };
    expect(await client.set(small, SOON)).toEqual({ revision: 3 });
  });

  test('whose reply is too large has an unknown outcome', async () => {
    const keyValue = {
      key: 'a',
      value: new Uint8Array(5_000_000),
      createRevision: revision(1),
      modRevision: revision(1),
      version: 1,
      lease: null,
    };
    const client = await serve({ get: async () => ({ keyValue, revision: revision(1) }) }, {});
    const error = (await rejection(client.get({ key: 'a' }, SOON))) as RpcError;
    expect(error.fault?.code).toBe('PLACEMENT_OUTCOME_UNKNOWN');
  });

  test('without anybody who listens has surely not been sent', async () => {
    const server = await fixture.serve([kvStub({})], {});
    await server.close(0);
    const client = fixture.channel(server.port, {}).clientOf(kvService);
    const error = await rejection(client.compact({ revision: revision(1) }, SOON));
    expect(error).toMatchObject({ status: rpcStatus.UNAVAILABLE, sent: 'no' });
    expect(placementFaultOf(error, 'changes').code).toBe('PLACEMENT_UNAVAILABLE');
  });

  test('finds a server again that has come back', async () => {
    const compact = async (): Promise<Record<string, never>> => ({});
    const first = await fixture.serve([kvStub({ compact })], {});
    const limits = { ...defaultChannelLimits, reconnectFirstMs: 1, reconnectLongestMs: 5 };
    const client = fixture.channel(first.port, { limits }).clientOf(kvService);
    await client.compact({ revision: revision(1) }, SOON);
    await first.close(0);
    await rejection(client.compact({ revision: revision(1) }, SOON));
    await fixture.serve([kvStub({ compact })], { port: first.port });
    for (;;) {
      const answer = await client.compact({ revision: revision(1) }, SOON).catch(() => null);
      if (answer !== null) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('is observed once, with its status', async () => {
    const began: string[] = [];
    const ended: CallEnd[] = [];
    const observer = {
      ...silentObserver,
      callBegan: (method: string) => began.push(method),
      callEnded: (end: CallEnd) => ended.push(end),
    };
    const compact = async (): Promise<Record<string, never>> => ({});
    const client = await serve({ compact }, { observer });
    await client.compact({ revision: revision(1) }, SOON);
    await rejection(client.get({ key: 'a' }, SOON));
    const statuses: RpcStatus[] = ended.map(({ status }) => status);
    expect(statuses).toEqual([rpcStatus.OK, rpcStatus.INTERNAL]);
    expect(began).toEqual(ended.map(({ method }) => method));
    expect(ended.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  });
});
