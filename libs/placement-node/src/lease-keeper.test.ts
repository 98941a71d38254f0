import { ManualTimers, settle } from '@robustmq/environment';
import type { LeaseId } from '@robustmq/placement';
import { beforeEach, describe, expect, test } from 'vitest';
import { LeaseKeeper } from './lease-keeper.ts';

const ONE = 1 as LeaseId;
const TWO = 2 as LeaseId;

let timers: ManualTimers;
let expired: LeaseId[];
let expire: (id: LeaseId) => Promise<void>;
let confirm: () => Promise<void>;
let keeper: LeaseKeeper;

beforeEach(() => {
  timers = new ManualTimers(0);
  expired = [];
  expire = async (id) => {
    expired.push(id);
  };
  confirm = async () => {};
  keeper = new LeaseKeeper({
    clock: timers.clock,
    timers,
    checkEveryMs: 100,
    expire: (id) => expire(id),
    confirmLeadership: () => confirm(),
  });
});

describe('a lease', () => {
  test('ends after its time and not before', async () => {
    keeper.begin([], 0);
    keeper.granted({ id: ONE, ttlSeconds: 2 });
    await timers.elapse(1900);
    expect(expired).toEqual([]);
    await timers.elapse(100);
    expect(expired).toEqual([ONE]);
    expect(keeper.remainingSeconds(ONE)).toBeNull();
  });

  test('that is kept alive lives for its whole time from the call on', async () => {
    keeper.begin([{ id: ONE, ttlSeconds: 2 }], 0);
    await timers.elapse(1900);
    expect(await keeper.keep(ONE)).toEqual({ id: ONE, ttlSeconds: 2 });
    await timers.elapse(1900);
    expect(expired).toEqual([]);
    await timers.elapse(200);
    expect(expired).toEqual([ONE]);
  });

  test('gets its whole time and the grace from a new leader', async () => {
    keeper.begin([{ id: ONE, ttlSeconds: 2 }], 1000);
    await timers.elapse(2900);
    expect(expired).toEqual([]);
    expect(keeper.remainingSeconds(ONE)).toBe(1);
    await timers.elapse(200);
    expect(expired).toEqual([ONE]);
  });

  test('is not promised time by a leader that was deposed while it asked', async () => {
    keeper.begin([{ id: ONE, ttlSeconds: 2 }], 0);
    let confirmed = (): void => {};
    confirm = () =>
      new Promise((resolve) => {
        confirmed = resolve;
      });
    const kept = keeper.keep(ONE);
    keeper.end();
    keeper.begin([{ id: ONE, ttlSeconds: 2 }], 0);
    confirmed();
    await expect(kept).rejects.toMatchObject({ fault: { code: 'PLACEMENT_NOT_LEADER' } });
  });

  test('whose end is under way is not told to live, even when the end fails', async () => {
    expire = () => Promise.reject(new Error('no majority'));
    keeper.begin([{ id: ONE, ttlSeconds: 1 }], 0);
    await timers.elapse(1100);
    const gone = { fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' } };
    await expect(keeper.keep(ONE)).rejects.toMatchObject(gone);
    expire = async (id) => {
      expired.push(id);
    };
    await timers.elapse(1100);
    expect(expired).toEqual([ONE]);
  });

  test('that has ended with keys left is not kept alive, and ended to the last of them', async () => {
    keeper.begin([{ id: ONE, ttlSeconds: 60 }], 0);
    keeper.ended(ONE);
    const gone = { fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' } };
    await expect(keeper.keep(ONE)).rejects.toMatchObject(gone);
    await timers.elapse(1100);
    expect(expired).toEqual([ONE]);
  });

  for (const { why, leases, ended } of [
    { why: 'before this leader', leases: [{ id: ONE, ttlSeconds: 0 }], ended: [] },
    { why: 'while it read', leases: [{ id: ONE, ttlSeconds: 60 }], ended: [ONE] },
  ]) {
    test(`that ended ${why} with keys left is ended to the last of them`, async () => {
      keeper.prepare();
      for (const id of ended) keeper.ended(id);
      keeper.begin(leases, 1000);
      await expect(keeper.keep(ONE)).rejects.toMatchObject({
        fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' },
      });
      await timers.elapse(1000);
      expect(expired).toEqual([ONE]);
    });
  }

  test('that was revoked is forgotten', async () => {
    keeper.begin([{ id: ONE, ttlSeconds: 1 }], 0);
    keeper.revoked(ONE);
    await timers.elapse(5000);
    expect(expired).toEqual([]);
    await expect(keeper.keep(ONE)).rejects.toMatchObject({
      fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' },
    });
  });
});

test('leases that come and go while a new leader reads the others are neither lost nor revived', async () => {
  keeper.prepare();
  keeper.granted({ id: TWO, ttlSeconds: 1 });
  keeper.revoked(ONE);
  keeper.begin([{ id: ONE, ttlSeconds: 1 }], 0);
  await timers.elapse(1000);
  expect(expired).toEqual([TWO]);
});

test('a member that does not lead ends nothing', async () => {
  keeper.begin([{ id: ONE, ttlSeconds: 1 }], 0);
  keeper.end();
  keeper.granted({ id: TWO, ttlSeconds: 1 });
  await timers.elapse(10_000);
  expect(expired).toEqual([]);
});

test('many leases that end at once are ended a few at a time, all of them', async () => {
  const waiting: (() => void)[] = [];
  let inFlightMax = 0;
  expire = (id) =>
    new Promise((resolve) => {
      expired.push(id);
      waiting.push(resolve);
      inFlightMax = Math.max(inFlightMax, waiting.length);
    });
  const leases = Array.from({ length: 1000 }, (_, index) => ({
    id: (index + 1) as LeaseId,
    ttlSeconds: 1,
  }));
  keeper.begin(leases, 0);
  await timers.elapse(1000);
  while (waiting.length > 0) {
    waiting.shift()?.();
    if (waiting.length === 0) await settle(3);
  }
  expect(expired.length).toBe(1000);
  expect(inFlightMax).toBe(64);
});
