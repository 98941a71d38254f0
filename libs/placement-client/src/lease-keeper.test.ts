import { ManualClock, type Timers } from '@robustmq/environment';
import { PlacementError } from '@robustmq/placement';
import { MemoryPlacement } from '@robustmq/placement-conformance';
import { describe, expect, test } from 'vitest';
import { keepLeaseAlive } from './lease-keeper.ts';
import { CALL } from './served-store.fixture.ts';

/** A clock, and timers that ring when it is moved. */
class TestTime implements Pick<Timers, 'after'> {
  readonly clock = new ManualClock(0);
  readonly #due: { readonly atMs: number; readonly action: () => void }[] = [];

  after(milliseconds: number, action: () => void) {
    const entry = { atMs: this.clock.monotonicMs() + milliseconds, action };
    this.#due.push(entry);
    return { cancel: () => this.#drop(entry) };
  }

  get timers(): Timers {
    const unused = (): never => {
      throw new Error('not used here');
    };
    return {
      after: (milliseconds, action) => this.after(milliseconds, action),
      every: unused,
      soon: unused,
    };
  }

  /** In steps, so that what a timer began ends before the next one rings. */
  async advance(milliseconds: number, each: (stepMs: number) => void): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      this.clock.advance(100);
      each(100);
      for (const entry of this.#due.filter(({ atMs }) => atMs <= this.clock.monotonicMs())) {
        this.#drop(entry);
        entry.action();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #drop(entry: { readonly atMs: number; readonly action: () => void }): void {
    const index = this.#due.indexOf(entry);
    if (index >= 0) this.#due.splice(index, 1);
  }
}

async function openKept(ttlSeconds: number) {
  const memory = new MemoryPlacement();
  const time = new TestTime();
  const lease = await memory.grantLease(ttlSeconds, CALL);
  const { clock, timers } = time;
  const kept = keepLeaseAlive(memory, lease, { clock, timers, keptAtMs: clock.monotonicMs() });
  const advance = (milliseconds: number) =>
    time.advance(milliseconds, (stepMs) => memory.advance(stepMs / 1000));
  return { memory, time, lease, kept, advance };
}

describe('keeping a lease alive', () => {
  test('it lives on as long as it is kept, and ends after it is kept no more', async () => {
    const { memory, lease, kept, advance } = await openKept(3);
    await advance(20_000);
    expect(kept.lost.aborted).toBe(false);
    expect((await memory.readLease(lease.id, CALL)).remainingSeconds).toBeGreaterThan(1);
    kept.stop();
    await advance(3_000);
    await expect(memory.readLease(lease.id, CALL)).rejects.toThrow(PlacementError);
    expect(kept.lost.aborted).toBe(false);
  });

  test('a lease that was revoked is reported as lost with the next request', async () => {
    const { memory, lease, kept, advance } = await openKept(3);
    await memory.revokeLease(lease.id, CALL);
    await advance(1_000);
    expect(kept.lost.aborted).toBe(true);
    expect(kept.lost.reason).toMatchObject({ fault: { code: 'PLACEMENT_LEASE_NOT_FOUND' } });
  });

  test('when nobody answers, the loss is reported before the server can have ended it', async () => {
    const { memory, lease, kept, advance } = await openKept(10);
    memory.keepLease = async () => {
      throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'gone' });
    };
    await advance(9_400);
    expect(kept.lost.aborted).toBe(false);
    await advance(100);
    expect(kept.lost.aborted).toBe(true);
    expect((await memory.readLease(lease.id, CALL)).remainingSeconds).toBeGreaterThan(0);
  });

  test('a request that never ends does not delay the report', async () => {
    const { memory, kept, advance } = await openKept(10);
    memory.keepLease = () => new Promise(() => undefined);
    await advance(9_500);
    expect(kept.lost.aborted).toBe(true);
  });

  test('after failures that end in time it lives on', async () => {
    const { memory, kept, advance } = await openKept(10);
    const keep = memory.keepLease.bind(memory);
    memory.keepLease = async () => {
      throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail: 'gone' });
    };
    await advance(8_000);
    memory.keepLease = keep;
    await advance(20_000);
    expect(kept.lost.aborted).toBe(false);
    kept.stop();
  });
});
