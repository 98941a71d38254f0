import { connect } from 'node:net';
import { once } from 'node:events';
import { Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { Revision } from '@robustmq/placement';
import { service as healthDefinition } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { healthService, kvService, watchService } from '../contract/store-services.ts';
import { type RpcError, rpcStatus } from '../rpc-error.ts';
import { kvStub } from '../testing/kv-stub.ts';
import { rejection, RpcFixture } from '../testing/rpc-fixture.ts';
import { RpcSetupError } from '../tls.ts';
import { mount } from './implementation.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const SOON = { deadlineMs: 10_000, signal: null };
const compact = async (): Promise<Record<string, never>> => ({});
const request = { revision: 1 as Revision };

describe('a server with a cluster token', () => {
  const tokens = [
    { why: 'the token', token: 'geheim', status: rpcStatus.OK },
    { why: 'no token', token: null, status: rpcStatus.UNAUTHENTICATED },
    { why: 'another token', token: 'geheim!', status: rpcStatus.UNAUTHENTICATED },
    { why: 'an empty token', token: '', status: rpcStatus.UNAUTHENTICATED },
  ];
  for (const { why, token, status } of tokens) {
    test(`given ${why}, answers with ${rpcStatus[status]}`, async () => {
      const server = await fixture.serve([kvStub({ compact })], { clusterToken: 'geheim' });
      const channel = fixture.channel(server.port, { token });
      const answer = await channel
        .clientOf(kvService)
        .compact(request, SOON)
        .then(
          () => null,
          (error: unknown) => error as RpcError,
        );
      expect(answer?.status ?? rpcStatus.OK).toBe(status);
      if (answer !== null) expect(answer.fault?.code).toBe('PLACEMENT_UNAUTHENTICATED');
    });
  }

  test('does not let the handler of a stream see a call without it', async () => {
    let calls = 0;
    const watch = async function* (): AsyncGenerator<never> {
      calls += 1;
      yield* [];
    };
    const services = [
      mount(watchService, { watch }),
      kvStub({
        pipeline: () => {
          calls += 1;
        },
      }),
    ];
    const server = await fixture.serve(services, { clusterToken: 'geheim' });
    const channel = fixture.channel(server.port, {});
    const stream = channel.clientOf(kvService).pipeline({ signal: null, metadata: {} });
    stream.write([]);
    const ended = await new Promise<RpcError | null>((resolve) => stream.onEnd(resolve));
    expect(ended?.status).toBe(rpcStatus.UNAUTHENTICATED);
    const range = { first: '', after: null };
    const watching = channel
      .clientOf(watchService)
      .watch({ range, from: null, progressEveryMs: null }, { signal: null, metadata: {} });
    const error = await rejection(watching[Symbol.asyncIterator]().next());
    expect((error as RpcError).status).toBe(rpcStatus.UNAUTHENTICATED);
    expect(calls).toBe(0);
  });

  test('tells its health to everybody', async () => {
    const server = await fixture.serve([kvStub({})], { clusterToken: 'geheim' });
    const health = fixture.channel(server.port, {}).clientOf(healthService);
    expect(await health.check({ service: '' }, SOON)).toEqual({ status: 'serving' });
  });
});

describe('the health of a server', () => {
  test('is told for each service, and follows what is set', async () => {
    const server = await fixture.serve([kvStub({})], {});
    const health = fixture.channel(server.port, {}).clientOf(healthService);
    server.setServing(kvService.name, 'notServing');
    expect(await health.check({ service: kvService.name }, SOON)).toEqual({ status: 'notServing' });
    expect(await health.check({ service: '' }, SOON)).toEqual({ status: 'serving' });
    const error = await rejection(health.check({ service: 'other' }, SOON));
    expect((error as RpcError).status).toBe(rpcStatus.NOT_FOUND);
  });

  test('is watched until the server has stopped', async () => {
    const server = await fixture.serve([kvStub({})], {});
    const health = fixture.channel(server.port, {}).clientOf(healthService);
    const seen: string[] = [];
    const steps = [
      () => server.setServing(kvService.name, 'notServing'),
      () => server.setServing(kvService.name, 'serving'),
      () => void server.close(60_000),
    ];
    const open = { signal: null, metadata: {} };
    for await (const { status } of health.watch({ service: kvService.name }, open)) {
      seen.push(status);
      steps.shift()?.();
    }
    expect(seen).toEqual(['serving', 'notServing', 'serving', 'notServing']);
  });

  test('is understood by a client of another library', async () => {
    const server = await fixture.serve([kvStub({})], {});
    const { Health } = loadPackageDefinition({ Health: healthDefinition });
    const client = new (Health as unknown as typeof Client)(
      `127.0.0.1:${server.port}`,
      credentials.createInsecure(),
    );
    fixture.cleanup(() => client.close());
    const { Check } = healthDefinition;
    const reply = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        Check?.path ?? '',
        Check?.requestSerialize as never,
        Check?.responseDeserialize as never,
        { service: '' },
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });
    expect(reply).toEqual({ status: 'SERVING' });
  });
});

describe('a server', () => {
  const garbage = [
    { why: 'random bytes', bytes: Buffer.from([...Array(300).keys()].map((each) => each * 7)) },
    { why: 'another protocol', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n') },
    {
      why: 'a broken frame after the preface',
      bytes: Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.alloc(50, 0xff),
      ]),
    },
  ];
  for (const { why, bytes } of garbage) {
    test(`closes a connection that brings ${why}, and serves the others`, async () => {
      const server = await fixture.serve([kvStub({ compact })], {});
      const client = fixture.channel(server.port, {}).clientOf(kvService);
      await client.compact(request, SOON);
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
      expect(await client.compact(request, SOON)).toEqual({});
    });
  }

  test('waits for calls under way when it closes', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: end, resolve: finish } = Promise.withResolvers<void>();
    const slow = async (): Promise<Record<string, never>> => {
      begin();
      await end;
      return {};
    };
    const server = await fixture.serve([kvStub({ compact: slow })], {});
    const client = fixture.channel(server.port, {}).clientOf(kvService);
    const call = client.compact(request, SOON);
    await begun;
    const closed = server.close(60_000);
    finish();
    expect(await call).toEqual({});
    await closed;
  });

  test('ends calls under way when its patience has', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const never = (): Promise<never> => {
      begin();
      return new Promise(() => {});
    };
    const server = await fixture.serve([kvStub({ compact: never })], {});
    const client = fixture.channel(server.port, {}).clientOf(kvService);
    const call = rejection(client.compact(request, SOON));
    await begun;
    await server.close(10);
    expect(((await call) as RpcError).sent).toBe('perhaps');
  });

  test('says why it cannot listen', async () => {
    const server = await fixture.serve([], {});
    const error = await rejection(fixture.serve([], { port: server.port }));
    expect(error).toBeInstanceOf(RpcSetupError);
    expect((error as RpcSetupError).fault.code).toBe('RPC_LISTEN_FAILED');
  });
});
