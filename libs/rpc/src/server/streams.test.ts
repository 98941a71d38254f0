import {
  type LeaseId,
  PlacementError,
  type Revision,
  type WatchRequest,
} from '@robustmq/placement';
import { afterEach, describe, expect, test } from 'vitest';
import type { ServiceClient } from '../client/rpc-channel.ts';
import type { WatchMessage } from '../codec/watch.ts';
import {
  type LeaseMethods,
  leaseService,
  type WatchMethods,
  watchService,
} from '../contract/store-services.ts';
import { RpcError, rpcStatus } from '../rpc-error.ts';
import { rejection, RpcFixture } from '../testing/rpc-fixture.ts';
import { type CallContext, type Implementation, mount } from './implementation.ts';

const fixture = new RpcFixture();
afterEach(() => fixture.close());

const request: WatchRequest = {
  range: { first: 'a', after: null },
  from: null,
  progressEveryMs: null,
};
const OPEN = { signal: null, metadata: {} };

function batch(number: number, bytes: number): WatchMessage {
  const revision = number as Revision;
  const value = new Uint8Array(bytes);
  const facts = { key: 'a', value, createRevision: revision, modRevision: revision };
  const keyValue = { ...facts, version: 1, lease: null };
  return { revision, events: [{ kind: 'put', keyValue }], more: false };
}

async function watchOf(
  watch: Implementation<WatchMethods>['watch'],
): Promise<ServiceClient<WatchMethods>> {
  const server = await fixture.serve([mount(watchService, { watch })], {});
  return fixture.channel(server.port, {}).clientOf(watchService);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe('a stream of replies', () => {
  test('brings them in order, and ends', async () => {
    const client = await watchOf(async function* () {
      for (let number = 1; number <= 100; number += 1) yield batch(number, number);
    });
    const batches = await collect(client.watch(request, OPEN));
    expect(batches.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  test('ends with the fault that the server throws midway', async () => {
    const fault = { code: 'PLACEMENT_CLOSED' } as const;
    const client = await watchOf(async function* () {
      yield batch(1, 1);
      throw new PlacementError(fault);
    });
    const seen: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const { revision } of client.watch(request, OPEN)) seen.push(revision);
    };
    const error = await rejection(reading());
    expect(seen).toEqual([1]);
    expect((error as RpcError).fault).toEqual(fault);
  });

  test('is produced only as fast as it is read', async () => {
    let produced = 0;
    const client = await watchOf(async function* () {
      for (;;) {
        produced += 1;
        yield batch(produced, 64 * 1024);
      }
    });
    const reader = client.watch(request, OPEN)[Symbol.asyncIterator]();
    const taken = 50;
    for (let count = 0; count < taken; count += 1) await reader.next();
    // Whoever reads has at most so many messages ahead in buffers of either side.
    expect(produced).toBeLessThan(taken + 100);
    await reader.return?.();
  });

  const ways = ['stops iterating', 'aborts its signal'] as const;
  for (const way of ways) {
    test(`is cancelled for the server when the client ${way}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const controller = new AbortController();
      const client = await watchOf(async function* (_request, context: CallContext) {
        const aborted = new Promise((done) => context.signal.addEventListener('abort', done));
        yield batch(1, 1);
        await aborted;
        resolve();
      });
      const options = { signal: controller.signal, metadata: {} };
      for await (const each of client.watch(request, options)) {
        expect(each.revision).toBe(1);
        if (way === 'stops iterating') break;
        controller.abort();
      }
      await promise;
    });
  }

  test('ends when the server drains, if its handler does', async () => {
    const server = await fixture.serve(
      [
        mount(watchService, {
          watch: async function* (_request, { closing }) {
            yield batch(1, 1);
            await new Promise((done) => closing.addEventListener('abort', done));
            throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'stopping' });
          },
        }),
      ],
      {},
    );
    const client = fixture.channel(server.port, {}).clientOf(watchService);
    const reader = client.watch(request, OPEN)[Symbol.asyncIterator]();
    await reader.next();
    const [error] = await Promise.all([rejection(reader.next()), server.close(60_000)]);
    expect((error as RpcError).status).toBe(rpcStatus.UNAVAILABLE);
  });
});

async function leasesOf(
  keepAlive: Implementation<LeaseMethods>['keepAlive'],
): Promise<ServiceClient<LeaseMethods>> {
  const unused = (): never => {
    throw new Error('not called');
  };
  const methods = { grant: unused, revoke: unused, timeToLive: unused, leases: unused };
  const server = await fixture.serve([mount(leaseService, { ...methods, keepAlive })], {});
  return fixture.channel(server.port, {}).clientOf(leaseService);
}

describe('a stream in both directions', () => {
  test('answers while it is asked, and ends well after both have finished', async () => {
    const client = await leasesOf((call) => {
      call.onMessage(({ id }) => call.write({ id, ttlSeconds: id * 2 }));
      call.onHalfClose(() => call.finish());
    });
    const call = client.keepAlive(OPEN);
    const replies: number[] = [];
    const ended = new Promise((resolve) => call.onEnd(resolve));
    call.onMessage(({ ttlSeconds }) => {
      replies.push(ttlSeconds);
      if (replies.length < 3) call.write({ id: (replies.length + 1) as LeaseId });
      else call.finish();
    });
    call.write({ id: 1 as LeaseId });
    expect(await ended).toBeNull();
    expect(replies).toEqual([2, 4, 6]);
    expect(call.ended).toBe(true);
  });

  test('is let in before the first message, unless the handler refuses', async () => {
    const client = await leasesOf(() => {});
    const call = client.keepAlive(OPEN);
    await new Promise<void>((resolve) => call.onAdmitted(resolve));
    const refusing = await leasesOf(() => {
      throw new PlacementError({ code: 'PLACEMENT_INVALID', detail: 'no' });
    });
    const refused = refusing.keepAlive(OPEN);
    let admitted = false;
    refused.onAdmitted(() => {
      admitted = true;
    });
    const error = await new Promise<RpcError | null>((resolve) => refused.onEnd(resolve));
    expect(error?.fault).toEqual({ code: 'PLACEMENT_INVALID', detail: 'no' });
    expect(admitted).toBe(false);
  });

  test('can be ended by the server with a fault, and by the client without one', async () => {
    const { promise, resolve } = Promise.withResolvers<RpcError | null>();
    const client = await leasesOf((call) => {
      call.onEnd(resolve);
      call.onMessage(({ id }) => {
        if (id === 1)
          call.abort(new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id }));
        else call.write({ id, ttlSeconds: 1 });
      });
    });
    const failing = client.keepAlive(OPEN);
    const failed = new Promise<RpcError | null>((done) => failing.onEnd(done));
    failing.write({ id: 1 as LeaseId });
    expect((await failed)?.fault).toEqual({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: 1 });
    expect((await promise)?.status).toBe(rpcStatus.NOT_FOUND);
    const cancelling = client.keepAlive(OPEN);
    const cancelled = new Promise<RpcError | null>((done) => cancelling.onEnd(done));
    cancelling.onMessage(() => cancelling.abort());
    cancelling.write({ id: 2 as LeaseId });
    expect((await cancelled)?.status).toBe(rpcStatus.CANCELLED);
  });

  test('slows the client down when the server pauses', async () => {
    let taken = 0;
    const client = await leasesOf((call) => {
      call.onMessage(({ id }) => {
        taken += 1;
        if (taken === 1) {
          call.pause();
          call.write({ id, ttlSeconds: 1 });
        }
      });
    });
    const call = client.keepAlive(OPEN);
    const first = new Promise<void>((resolve) => call.onMessage(() => resolve()));
    call.write({ id: 1 as LeaseId });
    await first;
    let written = 0;
    while (call.write({ id: 2 as LeaseId })) written += 1;
    expect(written).toBeLessThan(1000);
  });

  test('with bytes that are no message ends with INVALID_ARGUMENT', async () => {
    const client = await leasesOf((call) => call.onMessage(() => {}));
    const call = client.keepAlive(OPEN);
    const ended = new Promise<RpcError | null>((resolve) => call.onEnd(resolve));
    // A lease without an id is none.
    call.write({ id: 0 as LeaseId });
    expect((await ended)?.status).toBe(rpcStatus.INVALID_ARGUMENT);
  });
});
