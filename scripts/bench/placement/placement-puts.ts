/** Puts to our placement center through the client library, as an application makes them. */

import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { connectPlacement } from '@robustmq/placement-client';
import type { PutTarget } from './put-load.ts';

const OPTIONS = { deadlineMs: 30_000, signal: null };

export function connectToPlacement(servers: readonly string[]): PutTarget {
  const placement = connectPlacement({
    ...{ servers, token: null, tls: null, limits: null },
    ...{ clock: systemClock, timers: systemTimers, random: systemRandom },
  });
  return {
    put: (key, value) =>
      placement.transact(
        {
          compare: [],
          then: [{ kind: 'put', key, value, lease: null }],
          otherwise: [],
          requestId: null,
        },
        OPTIONS,
      ),
    close: () => placement.close(),
  };
}
