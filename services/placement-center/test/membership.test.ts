import { prefixRange } from '@robustmq/placement';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProcessCluster, put, SOON, textAt, until } from './cluster.fixture.ts';

/** A log that is cut after a few entries, so that who is behind needs a snapshot. */
const SHORT_LOG = ['[raft]\nlog_entries_max = 50\nlog_entries_kept = 10'];

let cluster: ProcessCluster;

beforeEach(() => {
  cluster = new ProcessCluster();
});

afterEach(() => cluster.close());

/** Starts a member that joins, and gives it a vote once it has caught up. */
async function join(id: number, known: readonly number[]): Promise<void> {
  await cluster.start(id, known, ['join = true', ...SHORT_LOG]);
  await cluster.ask(['place', 'add-learner', String(id), await cluster.addressOf(id)], known);
  await cluster.ask(['place', 'promote', String(id), '--timeout', '30'], known);
}

describe('growing', () => {
  test('one member becomes three and five, which survive the loss of two', async () => {
    await cluster.found([1], SHORT_LOG);
    const placement = await cluster.connect([1]);
    for (let number = 0; number < 100; number += 1) {
      await placement.transact(put(`k/${String(number)}`, 'early'), SOON);
    }
    await join(2, [1]);
    await join(3, [1, 2]);
    await placement.transact(put('three', 'yes'), SOON);
    await join(4, [1, 2, 3]);
    await join(5, [1, 2, 3]);
    const leader = await cluster.leader();
    const victims = [1, 2, 3, 4, 5].filter((id) => id !== leader).slice(0, 1);
    for (const id of [leader, ...victims]) await cluster.kill(id);
    const others = [1, 2, 3, 4, 5].filter((id) => id !== leader && !victims.includes(id));
    const rest = await cluster.connect(others);
    await rest.transact(put('five', 'yes'), SOON);
    expect([await textAt(rest, 'three'), await textAt(rest, 'five')]).toEqual(['yes', 'yes']);
    const { count } = await rest.range(
      { range: prefixRange('k/'), limit: 0, content: 'count', consistency: 'linearizable' },
      SOON,
    );
    expect(count).toBe(100);
  });
});

describe('a member that was away', () => {
  test('catches up by a snapshot when the others have cut their log', async () => {
    await cluster.found([1, 2, 3], SHORT_LOG);
    const leader = await cluster.leader();
    const away = leader === 3 ? 2 : 3;
    const placement = await cluster.connect([1, 2, 3].filter((id) => id !== away));
    await cluster.stop(away);
    for (let number = 0; number < 300; number += 1) {
      await placement.transact(put(`k/${String(number)}`, 'x'), SOON);
    }
    const { firstIndex } = await until(async () => {
      const status = await cluster.tryStatus(leader);
      return status !== null && status.firstIndex > 100 ? status : null;
    });
    await cluster.isReady(cluster.launch(away));
    const target = await cluster.status(leader);
    const back = await until(async () => {
      const status = await cluster.tryStatus(away);
      return status !== null && status.revision >= target.revision ? status : null;
    });
    expect(back.firstIndex).toBeGreaterThan(firstIndex - 200);
    const range = { first: 'k/', after: 'k0' };
    const request = { range, limit: 0, content: 'count', consistency: 'serializable' } as const;
    expect((await (await cluster.connect([away])).range(request, SOON)).count).toBe(300);
  });

  test('is one of all in a rolling restart, while writes go on', async () => {
    await cluster.found([1, 2, 3], []);
    const placement = await cluster.connect([1, 2, 3]);
    let isRolling = true;
    const acknowledged: string[] = [];
    let longestMs = 0;
    const writing = (async () => {
      for (let number = 0; isRolling; number += 1) {
        const key = `r/${String(number)}`;
        const beganMs = performance.now();
        await placement.transact({ ...put(key, 'x'), requestId: key }, SOON);
        longestMs = Math.max(longestMs, performance.now() - beganMs);
        acknowledged.push(key);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    for (const id of [1, 2, 3]) {
      expect(await cluster.stop(id)).toBe(0);
      await cluster.isReady(cluster.launch(id));
      await cluster.leader();
    }
    isRolling = false;
    await writing;
    console.log(`the longest write of the rolling restart took ${longestMs.toFixed(0)} ms`);
    const { count } = await placement.range(
      { range: prefixRange('r/'), limit: 0, content: 'count', consistency: 'linearizable' },
      SOON,
    );
    expect(count).toBe(acknowledged.length);
  });
});
