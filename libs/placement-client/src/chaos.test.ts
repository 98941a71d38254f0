import { type Placement, PlacementError, type PlacementFault } from '@robustmq/placement';
import {
  absent,
  eventsOf,
  eventText,
  faultOf,
  MemoryPlacement,
  perform,
  put,
  putText,
  readKey,
  takeEvents,
} from '@robustmq/placement-conformance';
import { afterEach, describe, expect, test } from 'vitest';
import { CALL, connectTo, openServedMemory, serve } from './served-store.fixture.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function opened(limits: Parameters<typeof openServedMemory>[0] = {}) {
  const served = await openServedMemory(limits);
  cleanups.push(() => served.close());
  return served;
}

/** A server whose transactions and reads do first what `before` says. */
async function servedBy(placement: Placement, before: () => Promise<void>) {
  const server = await serve({
    ...bound(placement),
    transact: async (transaction, options) => {
      await before();
      return placement.transact(transaction, options);
    },
    range: async (request, options) => {
      await before();
      return placement.range(request, options);
    },
  });
  cleanups.push(() => server.close());
  return server;
}

function bound(placement: Placement): Placement {
  return {
    range: (request, options) => placement.range(request, options),
    transact: (transaction, options) => placement.transact(transaction, options),
    watch: (request) => placement.watch(request),
    grantLease: (ttl, options) => placement.grantLease(ttl, options),
    keepLease: (id, options) => placement.keepLease(id, options),
    revokeLease: (id, options) => placement.revokeLease(id, options),
    readLease: (id, options) => placement.readLease(id, options),
    compact: (revision, options) => placement.compact(revision, options),
    close: () => placement.close(),
  };
}

function fails(fault: PlacementFault): () => Promise<never> {
  return async () => {
    throw new PlacementError(fault);
  };
}

function client(servers: readonly string[], limits: Parameters<typeof connectTo>[1] = {}) {
  const connected = connectTo(servers, limits);
  cleanups.push(() => connected.close());
  return connected;
}

const READ = {
  range: { first: 'a', after: null },
  limit: 0,
  content: 'whole',
  consistency: 'linearizable',
} as const;

describe('who leads', () => {
  test('a server that names the leader sends its clients there, also out of their list', async () => {
    const memory = new MemoryPlacement();
    const leader = await servedBy(memory, async () => undefined);
    const fault = { code: 'PLACEMENT_NOT_LEADER', leader: leader.address } as const;
    const follower = await servedBy(memory, fails(fault));
    await putText(client([follower.address]), 'a', '1');
    expect(memory.revision).toBe(1);
  });

  test('two that send each other their clients do not keep them busy for ever', async () => {
    const memory = new MemoryPlacement();
    const addresses: string[] = [];
    let asked = 0;
    const pointing = (to: number) => async () => {
      asked += 1;
      const leader = addresses[to] ?? null;
      throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader });
    };
    const servers = [await servedBy(memory, pointing(1)), await servedBy(memory, pointing(0))];
    addresses.push(...servers.map((server) => server.address));
    const placement = client(addresses, { pauseFirstMs: 20, pauseLongestMs: 50 });
    const fault = await faultOf(placement.range(READ, { deadlineMs: 300, signal: null }));
    expect(fault).toMatchObject({ code: 'PLACEMENT_UNAVAILABLE' });
    for (const address of addresses)
      expect(fault).toHaveProperty('detail', expect.stringContaining(address));
    expect(asked).toBeLessThan(150);
  });

  test('a server that names a dead leader does not keep its clients from the others', async () => {
    const memory = new MemoryPlacement();
    const dead = await servedBy(memory, async () => undefined);
    await dead.close();
    const fault = { code: 'PLACEMENT_NOT_LEADER', leader: dead.address } as const;
    const misled = await servedBy(memory, fails(fault));
    const well = await servedBy(memory, async () => undefined);
    await putText(client([misled.address, well.address]), 'a', '1');
    expect(memory.revision).toBe(1);
  });

  test('while nobody leads, a call waits and then succeeds', async () => {
    const memory = new MemoryPlacement();
    let elections = 5;
    const server = await servedBy(memory, async () => {
      elections -= 1;
      if (elections > 0) throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: null });
    });
    await putText(client([server.address]), 'a', '1');
    expect(elections).toBe(0);
  });

  test('a server that is gone is passed over', async () => {
    const memory = new MemoryPlacement();
    const gone = await servedBy(memory, async () => undefined);
    await gone.close();
    const server = await servedBy(memory, async () => undefined);
    await putText(client([gone.address, server.address]), 'a', '1');
    expect(memory.revision).toBe(1);
  });

  test('without any server the failure names those tried and the last reason', async () => {
    const gone = await servedBy(new MemoryPlacement(), async () => undefined);
    await gone.close();
    const call = { deadlineMs: 200, signal: null };
    const fault = await faultOf(client([gone.address]).range(READ, call));
    expect(fault).toEqual({
      code: 'PLACEMENT_UNAVAILABLE',
      detail: expect.stringMatching(`tried ${gone.address}; last: ${gone.address}: .+`),
    });
  });
});

describe('a connection that is lost during a call', () => {
  /** The connection is cut after the change was made and before the answer is sent. */
  async function openCut() {
    const memory = new MemoryPlacement();
    let cuts = 1;
    const server = await serve({
      ...bound(memory),
      transact: async (transaction, options) => {
        const result = await memory.transact(transaction, options);
        if (cuts > 0) {
          cuts -= 1;
          server.wire.cut();
        }
        return result;
      },
    });
    cleanups.push(() => server.close());
    return { memory, placement: client([server.address]) };
  }

  test('a change without a request id has an unknown outcome', async () => {
    const { memory, placement } = await openCut();
    const fault = await faultOf(perform(placement, [put('a', '1')]));
    expect(fault).toMatchObject({ code: 'PLACEMENT_OUTCOME_UNKNOWN' });
    expect(memory.revision).toBe(1);
  });

  test('a change with a request id is made once, and its outcome is told', async () => {
    const { memory, placement } = await openCut();
    const transaction = {
      compare: [absent('a')],
      then: [put('a', '1')],
      otherwise: [],
      requestId: 'one',
    };
    const result = await placement.transact(transaction, CALL);
    expect(result).toMatchObject({ succeeded: true, repeated: true });
    expect(memory.revision).toBe(1);
  });

  test('a read is made again', async () => {
    const { memory, server, client: placement } = await opened();
    await putText(placement, 'a', '1');
    const range = memory.range.bind(memory);
    let cuts = 3;
    memory.range = async (request, options) => {
      cuts -= 1;
      if (cuts >= 0) server.wire.cut();
      return range(request, options);
    };
    expect(await readKey(placement, 'a')).toMatchObject({ key: 'a' });
  });

  test('a lease that was revoked before the answer was lost counts as revoked', async () => {
    const { memory, server, client: placement } = await opened();
    const { id } = await placement.grantLease(60, CALL);
    const revoke = memory.revokeLease.bind(memory);
    let cuts = 1;
    memory.revokeLease = async (lease, options) => {
      await revoke(lease, options);
      cuts -= 1;
      if (cuts >= 0) server.wire.cut();
    };
    await placement.revokeLease(id, CALL);
    const again = await faultOf(placement.revokeLease(id, CALL));
    expect(again).toMatchObject({ code: 'PLACEMENT_LEASE_NOT_FOUND' });
  });
});

describe('a server that is slow', () => {
  const never = async (): Promise<void> => new Promise(() => undefined);

  test('a call ends at its deadline, whatever happens', async () => {
    const server = await servedBy(new MemoryPlacement(), never);
    const placement = client([server.address]);
    const call = { deadlineMs: 150, signal: null };
    const transaction = { compare: [], then: [put('a', '1')], otherwise: [], requestId: null };
    const fault = await faultOf(placement.transact(transaction, call));
    expect(fault).toMatchObject({ code: 'PLACEMENT_OUTCOME_UNKNOWN' });
  });

  test('a call that may be repeated is made on another server in time', async () => {
    const memory = new MemoryPlacement();
    const slow = await servedBy(memory, never);
    const well = await servedBy(memory, async () => undefined);
    const placement = client([slow.address, well.address], { attemptMs: 100 });
    expect(await readKey(placement, 'a')).toBeNull();
  });

  test('a server whose answers get lost on the way is passed over, too', async () => {
    const memory = new MemoryPlacement();
    const muted = await servedBy(memory, async () => undefined);
    const well = await servedBy(memory, async () => undefined);
    const placement = client([muted.address, well.address], { attemptMs: 100 });
    await putText(placement, 'a', '1');
    muted.wire.mute();
    expect(await readKey(placement, 'a')).toMatchObject({ key: 'a' });
  });

  test('a call that its caller gave up ends at once', async () => {
    const server = await servedBy(new MemoryPlacement(), never);
    const stop = new AbortController();
    const reading = client([server.address]).range(READ, {
      deadlineMs: 60_000,
      signal: stop.signal,
    });
    setImmediate(() => stop.abort());
    expect(await faultOf(reading)).toMatchObject({ code: 'PLACEMENT_UNAVAILABLE' });
  });

  test('more calls than may wait are refused at once', async () => {
    const server = await servedBy(new MemoryPlacement(), never);
    const placement = client([server.address], { callsWaitingMax: 2, attemptMs: 100 });
    const waiting = ['a', 'b'].map((key) =>
      faultOf(
        placement.transact(
          { compare: [], then: [put(key, '1')], otherwise: [], requestId: null },
          { deadlineMs: 150, signal: null },
        ),
      ),
    );
    const fault = await faultOf(putText(placement, 'c', '1'));
    expect(fault).toMatchObject({ code: 'PLACEMENT_OVERLOADED' });
    await Promise.all(waiting);
  });

  test('a reply that is too large for a message fails alone', async () => {
    const { client: placement } = await opened();
    const large = 'x'.repeat(500_000);
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    for (const key of keys) await putText(placement, key, large);
    const then = keys.map((key) => {
      const range = { first: key, after: `${key}\u0000` };
      return { kind: 'range', range, limit: 1, content: 'whole' } as const;
    });
    const others = keys.map((key) => readKey(placement, key));
    const fault = await faultOf(perform(placement, then));
    expect(fault).toMatchObject({ code: 'PLACEMENT_INVALID' });
    for (const other of others) expect((await other)?.value.length).toBe(500_000);
    const replaced = await perform(
      placement,
      keys.map((key) => put(key, 'small')),
    );
    expect(replaced).toMatchObject({ succeeded: true, repeated: true, results: [] });
  });

  test('a thousand calls at once share a stream', async () => {
    const { memory, client: placement } = await opened();
    const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => putText(placement, key, key)));
    expect(memory.revision).toBe(1000);
  });
});

describe('a watch over lost connections', () => {
  test('it misses nothing and repeats nothing', async () => {
    const { server, client: placement } = await opened();
    const from = await putText(placement, 'start', '0');
    const watch = placement.watch({
      range: { first: 'k', after: 'l' },
      from,
      progressEveryMs: null,
    });
    const writing = (async () => {
      for (let index = 0; index < 60; index += 1) {
        await placement.transact(
          { compare: [], then: [put('k', String(index))], otherwise: [], requestId: `r${index}` },
          CALL,
        );
        if (index % 10 === 5) server.wire.cut();
      }
    })();
    const told = eventsOf(await takeEvents(watch, 60)).map(eventText);
    await writing;
    expect(told).toEqual(
      Array.from({ length: 60 }, (_, index) => `k=${index}@${from + 1 + index}`),
    );
  });

  test('it goes on at another server when its own stops', async () => {
    const memory = new MemoryPlacement();
    const first = await serve(bound(memory));
    const second = await serve(bound(memory));
    cleanups.push(() => second.close());
    const placement = client([first.address, second.address]);
    const from = await putText(placement, 'k', '0');
    const watch = placement.watch({
      range: { first: 'k', after: null },
      from,
      progressEveryMs: null,
    });
    const batches = watch[Symbol.asyncIterator]();
    expect((await batches.next()).value).toMatchObject({ revision: from });
    await first.close();
    await putText(memory, 'k', '1');
    const { value } = await batches.next();
    expect(value?.events.map(eventText)).toEqual([`k=1@${from + 1}`]);
    watch.cancel();
  });

  test('a consumer that stops reading is fed from the history when it returns', async () => {
    const { client: placement } = await opened();
    const from = await putText(placement, 'k', 'x');
    const watch = placement.watch({
      range: { first: 'k', after: null },
      from,
      progressEveryMs: null,
    });
    const batches = watch[Symbol.asyncIterator]();
    await batches.next();
    const large = 'x'.repeat(100_000);
    for (let index = 0; index < 100; index += 1) await putText(placement, 'k', large);
    let events = 0;
    while (events < 100) events += (await batches.next()).value?.events.length ?? 0;
    expect(events).toBe(100);
    watch.cancel();
  });

  test('history that is compacted while the connection is lost ends it with the reason', async () => {
    const { memory, server, client: placement } = await opened();
    const from = await putText(placement, 'k', '0');
    const watch = placement.watch({
      range: { first: 'k', after: null },
      from,
      progressEveryMs: null,
    });
    const batches = watch[Symbol.asyncIterator]();
    await batches.next();
    const next = faultOf(batches.next());
    server.wire.refuse();
    await putText(memory, 'k', '1');
    await memory.compact(memory.revision, CALL);
    server.wire.mend();
    expect(await next).toMatchObject({ code: 'PLACEMENT_REVISION_COMPACTED', requested: from + 1 });
  });
});

test('a client without the token of the cluster is refused at once', async () => {
  const server = await serve(new MemoryPlacement(), 'right');
  cleanups.push(() => server.close());
  const placement = client([server.address]);
  const unauthenticated = { code: 'PLACEMENT_UNAUTHENTICATED' };
  expect(await faultOf(putText(placement, 'a', '1'))).toMatchObject(unauthenticated);
  const range = { first: 'a', after: null };
  const watch = placement.watch({ range, from: 1 as never, progressEveryMs: null });
  expect(await faultOf(watch[Symbol.asyncIterator]().next())).toMatchObject(unauthenticated);
});

test('closing waits for what is under way, whoever closes and how often', async () => {
  const { memory, client: placement } = await opened();
  const transact = memory.transact.bind(memory);
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  memory.transact = async (transaction, options) => {
    begun.resolve();
    await gate.promise;
    return transact(transaction, options);
  };
  const writing = putText(placement, 'a', '1');
  await begun.promise;
  const closing = [placement.close(), placement.close()];
  gate.resolve();
  expect(await writing).toBe(1);
  await Promise.all(closing);
});

test('a client can be made and closed without a server', async () => {
  const placement = connectTo(['127.0.0.1:1']);
  await placement.close();
  expect(await faultOf(putText(placement, 'a', '1'))).toEqual({ code: 'PLACEMENT_CLOSED' });
});
