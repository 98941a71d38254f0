import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import { callFailure } from './call-failure.ts';
import { connectionFrom, type ServerConnection } from './connection.ts';
import type { ServerFlags } from './server-flags.ts';

/** Uses the placement center that the flags name, and lets go of it. @throws CommandError */
export async function withPlacement(
  flags: ServerFlags,
  use: (placement: Placement, connection: ServerConnection) => Promise<void>,
): Promise<void> {
  const connection = connectionFrom(flags);
  const { servers, tls, token } = connection;
  const placement = connectPlacement({
    servers,
    tls,
    token,
    limits: null,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  });
  try {
    await use(placement, connection);
  } catch (error) {
    throw callFailure(error, connection);
  } finally {
    await placement.close();
  }
}
