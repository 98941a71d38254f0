import { SeededRandom } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { openRegistries } from '@robustmq/placement-registry';
import { expect, test } from 'vitest';
import { CALL, connectTo, serve, type ServedStore } from './served-store.fixture.ts';

/** Cuts the wire now and then: before a transaction is made, or after it and before its answer. */
function cutting(memory: MemoryPlacement, wire: () => ServedStore['wire']): Placement {
  const transact = memory.transact.bind(memory);
  let transactions = 0;
  memory.transact = async (transaction, options) => {
    transactions += 1;
    const turn = transactions;
    if (turn % 7 === 0) wire().cut();
    const result = await transact(transaction, options);
    if (turn % 5 === 0) wire().cut();
    return result;
  };
  return memory;
}

test('over a wire that is cut again and again, ids are given once and sessions change hands once', async () => {
  const memory = new MemoryPlacement();
  const server: ServedStore = await serve(cutting(memory, () => server.wire));
  const clients = [1, 2, 3].map(() => connectTo([server.address]));
  const all = clients.map((client, index) =>
    openRegistries(client, { clusterName: 'c', random: new SeededRandom(index) }),
  );

  const blocks = await Promise.all(
    all.map(async ({ uniqueIds }) => {
      const ids: number[] = [];
      for (let turn = 0; turn < 30; turn += 1) {
        const { first, after } = await uniqueIds.takeBlock('x', 2, CALL);
        for (let id = first; id < after; id += 1) ids.push(id);
      }
      return ids;
    }),
  );
  expect(new Set(blocks.flat()).size).toBe(180);
  expect(Math.max(...blocks.flat())).toBe(180);

  const [first] = all;
  if (first === undefined) throw new Error('there is a first client');
  const claim = {
    clientId: 's',
    owner: null,
    sessionExpirySeconds: 1,
    willDelaySeconds: 0,
    nowMs: 1,
  };
  for (let turn = 0; turn < 10; turn += 1) {
    const { session: seen } = await first.sessions.claim(claim, CALL);
    const takers = all.map(({ sessions }) => sessions.takeOver(seen, claim, CALL));
    const outcomes = await Promise.allSettled(takers);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await first.sessions.read('s', CALL))?.value.epoch).toBe(seen.epoch + 1);
  }
  for (const client of clients) await client.close();
  await server.close();
});
