import type { Placement } from '@robustmq/placement';
import { prefixRange } from '@robustmq/placement';
import { expect, test } from 'vitest';
import type { PlacementUnderTest } from './describe-placement.ts';
import {
  CALL,
  eventsOf,
  eventText,
  faultOf,
  perform,
  put,
  readKey,
  readPrefix,
  takeEvents,
} from './placement-calls.ts';
import type { PlacementCapabilities } from './placement-fixture.ts';

export function describeLeases(
  current: () => PlacementUnderTest,
  capabilities: PlacementCapabilities,
): void {
  describeHeld(current);
  describeExpiry(current, capabilities.ttlSecondsMin);
  describeRemaining(current, capabilities.time);
}

function describeHeld(current: () => PlacementUnderTest): void {
  test('a lease tells its time and its keys', async () => {
    const { placement, prefix } = current();
    const lease = await placement.grantLease(60, CALL);
    expect(lease.ttlSeconds).toBe(60);
    await perform(placement, [put(`${prefix}b`, '1', lease.id), put(`${prefix}a`, '1', lease.id)]);
    expect(await readKey(placement, `${prefix}a`)).toMatchObject({ lease: lease.id });
    const status = await placement.readLease(lease.id, CALL);
    expect([...status.keys].sort()).toEqual([`${prefix}a`, `${prefix}b`]);
    expect(status.ttlSeconds).toBe(60);
    expect(status.remainingSeconds).toBeGreaterThan(50);
    expect(status.remainingSeconds).toBeLessThanOrEqual(60);
  });

  test('leases have different ids', async () => {
    const { placement } = current();
    const leases = await Promise.all([1, 2, 3].map(() => placement.grantLease(60, CALL)));
    expect(new Set(leases.map((lease) => lease.id)).size).toBe(3);
    for (const lease of leases) expect(lease.id).toBeGreaterThan(0);
  });

  test('a put under another lease, or none, leaves the one before', async () => {
    const { placement, prefix } = current();
    const [first, second] = [
      await placement.grantLease(60, CALL),
      await placement.grantLease(60, CALL),
    ];
    await perform(placement, [put(`${prefix}a`, '1', first.id), put(`${prefix}b`, '1', first.id)]);
    await perform(placement, [put(`${prefix}a`, '2', second.id), put(`${prefix}b`, '2')]);
    expect((await placement.readLease(first.id, CALL)).keys).toEqual([]);
    expect((await placement.readLease(second.id, CALL)).keys).toEqual([`${prefix}a`]);
    await placement.revokeLease(first.id, CALL);
    expect((await readPrefix(placement, prefix)).count).toBe(2);
  });

  test('a revoked lease takes its keys in one revision', async () => {
    const { placement, prefix } = current();
    const { id } = await placement.grantLease(60, CALL);
    const { revision } = await perform(placement, [
      put(`${prefix}a`, '1', id),
      put(`${prefix}b`, '1', id),
    ]);
    const watch = watchOf(placement, prefix, revision + 1);
    await placement.revokeLease(id, CALL);
    const batches = await takeEvents(watch, 2);
    const after = revision + 1;
    expect(eventsOf(batches).map(eventText).sort()).toEqual([
      `-${prefix}a@${after}`,
      `-${prefix}b@${after}`,
    ]);
    expect((await readPrefix(placement, prefix)).count).toBe(0);
  });

  test('a lease that ended is not found', async () => {
    const { placement } = current();
    const { id } = await placement.grantLease(60, CALL);
    await placement.revokeLease(id, CALL);
    for (const call of [
      () => placement.readLease(id, CALL),
      () => placement.keepLease(id, CALL),
      () => placement.revokeLease(id, CALL),
    ]) {
      expect(await faultOf(call())).toMatchObject({ code: 'PLACEMENT_LEASE_NOT_FOUND' });
    }
  });

  for (const ttlSeconds of [0, -1, 1.5, 9_000_000_001]) {
    test(`a lease of ${ttlSeconds} seconds is refused`, async () => {
      const fault = await faultOf(current().placement.grantLease(ttlSeconds, CALL));
      expect(fault).toMatchObject({ code: 'PLACEMENT_INVALID' });
    });
  }
}

function watchOf(
  placement: Placement,
  prefix: string,
  from: number,
): ReturnType<Placement['watch']> {
  type From = Parameters<Placement['watch']>[0]['from'];
  return placement.watch({ range: prefixRange(prefix), from: from as From, progressEveryMs: null });
}

function describeExpiry(current: () => PlacementUnderTest, ttlSeconds: number): void {
  test('a lease that is not kept alive ends and takes its keys', async () => {
    const { placement, prefix, advance } = current();
    const { id } = await placement.grantLease(ttlSeconds, CALL);
    const { revision } = await perform(placement, [
      put(`${prefix}a`, '1', id),
      put(`${prefix}b`, '1'),
    ]);
    const events = takeEvents(watchOf(placement, prefix, revision + 1), 1);
    await advance(ttlSeconds);
    expect(eventsOf(await events)).toMatchObject([{ kind: 'delete', key: `${prefix}a` }]);
    expect((await readPrefix(placement, prefix)).count).toBe(1);
    const fault = await faultOf(placement.keepLease(id, CALL));
    expect(fault).toMatchObject({ code: 'PLACEMENT_LEASE_NOT_FOUND' });
  });

  test('a lease that is kept alive lives on', async () => {
    const { placement, prefix, advance } = current();
    const { id } = await placement.grantLease(ttlSeconds, CALL);
    await perform(placement, [put(`${prefix}a`, '1', id)]);
    for (let round = 0; round < 4; round += 1) {
      await advance(ttlSeconds / 2);
      expect(await placement.keepLease(id, CALL)).toEqual({ id, ttlSeconds });
    }
    expect((await readPrefix(placement, prefix)).count).toBe(1);
  });
}

function describeRemaining(
  current: () => PlacementUnderTest,
  time: PlacementCapabilities['time'],
): void {
  test('what remains of a lease shrinks as time passes, and is whole again once it is kept', async () => {
    const { placement, advance } = current();
    const { id } = await placement.grantLease(60, CALL);
    const remaining = async (): Promise<number> =>
      (await placement.readLease(id, CALL)).remainingSeconds;
    await advance(2);
    const later = await remaining();
    if (time === 'manual') expect(later).toBe(58);
    expect(later).toBeLessThanOrEqual(58);
    await placement.keepLease(id, CALL);
    expect(await remaining()).toBeGreaterThan(later);
  });
}
