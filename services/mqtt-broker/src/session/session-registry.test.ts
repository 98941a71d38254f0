import { ManualTimers, SeededRandom } from '@robustmq/environment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BrokerContext } from '../broker-context.ts';
import { LoopbackClient } from '../cluster/loopback-client.fixture.ts';
import { contextOf } from '../cluster/test-cluster.fixture.ts';
import { openStorage, type OpenedStorage } from '../durable/open-storage.ts';

const EXPIRY_SECONDS = 60;

let timers: ManualTimers;
let context: BrokerContext;
let storage: OpenedStorage;

beforeEach(async () => {
  timers = new ManualTimers(1_700_000_000_000);
  const random = new SeededRandom(1);
  context = await contextOf(1, '', { clock: timers.clock, timers, random });
  storage = await openStorage(context);
});

afterEach(async () => {
  await storage.close();
});

/** Connects, goes, and comes back so many seconds later. @returns whether the session was there */
async function isPresentAfter(seconds: number): Promise<boolean | undefined> {
  const first = new LoopbackClient(context, 'c');
  await first.connect({ expirySeconds: EXPIRY_SECONDS });
  await first.subscribe('a');
  first.drop();
  timers.clock.advance(seconds * 1000);
  await new Promise((resolve) => setImmediate(resolve));
  const second = new LoopbackClient(context, 'c');
  return (await second.connect({ expirySeconds: EXPIRY_SECONDS }))?.sessionPresent;
}

describe('a session whose client has gone (MQTT-5.0 [MQTT-3.1.2-23])', () => {
  test('is there within its interval', async () => {
    expect(await isPresentAfter(EXPIRY_SECONDS - 1)).toBe(true);
    expect(context.sessions.find('c')?.subscriptions.size).toBe(1);
  });

  test('is over with its interval, whether or not the sweep has come', async () => {
    expect(await isPresentAfter(EXPIRY_SECONDS)).toBe(false);
    expect(context.sessions.find('c')?.subscriptions.size).toBe(0);
    expect(context.counters.sessionsExpired).toBe(1);
  });
});
