import type { TimerHandle, Timers } from '@robustmq/environment';
import { systemClock, systemRandom } from '@robustmq/environment';
import { PlacementError } from '@robustmq/placement';
import type { PipelineCall } from '@robustmq/rpc';
import { describe, expect, test } from 'vitest';
import { defaultRemoteCallLimits, RemoteCalls } from './remote-calls.ts';
import type { PlacementServer, PlacementServers } from './placement-server.ts';

const READ: PipelineCall = {
  kind: 'range',
  request: {
    ...{ range: { first: 'a', after: 'b' }, limit: 0 },
    ...({ content: 'whole', consistency: 'serializable' } as const),
  },
};

/** The pauses of calls to servers that know no leader. */
async function pausesOf(calls: number, attempts: number): Promise<readonly number[]> {
  const pauses: number[] = [];
  let left = calls * attempts;
  const end = new AbortController();
  const timers: Timers = {
    after: (milliseconds, action): TimerHandle => {
      pauses.push(milliseconds);
      left -= 1;
      if (left === 0) end.abort();
      setImmediate(action);
      return { cancel: () => undefined };
    },
    every: () => ({ cancel: () => undefined }),
    soon: (action) => setImmediate(action),
  };
  const server = {
    address: 'a:1',
    call: () => Promise.reject(new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: null })),
  } as unknown as PlacementServer;
  const servers: PlacementServers = {
    addresses: ['a:1'],
    current: () => server,
    followLeader: () => false,
    passOver: () => undefined,
    close: () => undefined,
  };
  const environment = { clock: systemClock, random: systemRandom, timers };
  const remote = new RemoteCalls(servers, environment, defaultRemoteCallLimits);
  const options = { deadlineMs: 3_600_000, signal: end.signal };
  const running = Array.from({ length: calls }, () => remote.call(READ, options));
  await Promise.allSettled(running);
  return pauses;
}

describe('while nobody leads', () => {
  test('a call asks again within a tenth of a second, so that a new leader is found soon', async () => {
    const pauses = await pausesOf(1, 20);
    expect(pauses.length).toBe(20);
    expect(pauses[0]).toBeLessThanOrEqual(20);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
    expect(Math.min(...pauses.slice(5))).toBeGreaterThanOrEqual(50);
  });

  test('many calls together ask no more often than the limit says', async () => {
    const calls = 1_500;
    const pauses = await pausesOf(calls, 1);
    const shortestMs = (calls * 1000) / defaultRemoteCallLimits.attemptsPerSecondMax;
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(shortestMs);
  });
});
