import { SeededRandom } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CALL, describedNode } from './cluster.fixture.ts';
import { openRegistries, type Registries } from './registries.ts';
import { RegistryError } from './registry-error.ts';
import type { SessionOwner, SessionRecord } from './session-registry.ts';

/** Lets others go first, now and then: before and after what it does. */
function dawdling(placement: MemoryPlacement, random: SeededRandom): Placement {
  const wait = async (): Promise<void> => {
    for (let turns = random.below(4); turns > 0; turns -= 1) await Promise.resolve();
  };
  const slow = async <Reply>(action: () => Promise<Reply>): Promise<Reply> => {
    await wait();
    const reply = await action();
    await wait();
    return reply;
  };
  const wrapped: Partial<Placement> = {
    range: (request, options) => slow(() => placement.range(request, options)),
    transact: (transaction, options) => slow(() => placement.transact(transaction, options)),
  };
  return new Proxy(placement, {
    get: (target, name) => {
      const own = wrapped[name as keyof Placement] ?? target[name as keyof Placement];
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** One broker that does what it likes with the session, and believes what it is told. */
async function meddle(
  { sessions }: Registries,
  owner: SessionOwner,
  random: SeededRandom,
): Promise<void> {
  const claim = { clientId: 'c', owner, sessionExpirySeconds: 1, willDelaySeconds: 0, nowMs: 1 };
  let mine: SessionRecord | null = null;
  for (let step = 0; step < 6; step += 1) {
    try {
      const choice = random.below(5);
      if (mine === null || choice === 0) mine = (await sessions.claim(claim, CALL)).session;
      else if (choice === 1) mine = await sessions.takeOver(mine, claim, CALL);
      else if (choice === 2) mine = await sessions.release(mine, 1, CALL);
      else if (choice === 3) mine = await sessions.update(mine, { connectionId: step }, CALL);
      else {
        await sessions.delete(mine, CALL);
        mine = null;
      }
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      mine = null;
    }
  }
}

test('whoever meddles with a session in whatever order: epochs only grow, and one owner has a key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = new SeededRandom(seed);
      const memory = new MemoryPlacement();
      const naming = { clusterName: 'test', random };
      const registries = openRegistries(dawdling(memory, random), naming);
      const owners = await Promise.all(
        [1, 2, 3].map(async (nodeId) => {
          const life = { ttlSeconds: 9, nowMs: 0 };
          const { node } = await registries.nodes.register(describedNode(nodeId), life, CALL);
          return { nodeId, incarnation: node.incarnation, connectionId: 0 };
        }),
      );
      const start = memory.revision;
      await Promise.all(owners.map((owner) => meddle(registries, owner, random)));
      await checkHistory(registries, memory.revision > start);
    }),
    { numRuns: 60 },
  );
});

async function checkHistory(registries: Registries, hasHistory: boolean): Promise<void> {
  expect(hasHistory).toBe(true);
  const stored = (await registries.sessions.read('c', CALL))?.value ?? null;
  const owners = await registries.sessions.listOwners(CALL);
  const owner = stored?.owner ?? null;
  const expected = owner === null ? [] : [{ nodeId: owner.nodeId, incarnation: owner.incarnation }];
  expect(owners).toEqual(expected);
  const { placement } = registries.sessions.table.store;
  const range = registries.sessions.table.rangeOf([]);
  const watch = placement.watch({ range, from: 1 as never, progressEveryMs: null });
  const { value } = await watch[Symbol.asyncIterator]().next();
  watch.cancel();
  let epoch = 0;
  for (const event of value?.events ?? []) {
    if (event.kind === 'delete') continue;
    const session = registries.sessions.table.decode(event.keyValue).value;
    expect(session.epoch).toBeGreaterThanOrEqual(epoch);
    expect(session.epoch).toBeLessThanOrEqual(event.keyValue.modRevision);
    epoch = session.epoch;
  }
}
