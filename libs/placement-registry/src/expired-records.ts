/**
 * Forgets what has expired by the clock: idempotent data and bans.
 *
 * Late is harmless and early is not: the clock of the node that runs this decides, so an expiry should
 * be longer than clocks differ.
 */

import type { Clock, Timers } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import type { Ban } from './ban-registry.ts';
import { type Controller, pause } from './controller.ts';
import type { IdempotenceRegistry } from './idempotence-registry.ts';
import type { RecordRegistry } from './record-registry.ts';
import type { Page } from './record-table.ts';

/** What the loop reads and writes. */
export interface ExpiredRecordsOptions {
  readonly idempotence: IdempotenceRegistry;
  readonly bans: RecordRegistry<Ban>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long it rests when nothing is due. */
  readonly restMs: number;
  /** For each of its steps. */
  readonly call: CallOptions;
}

const RECORDS_PER_STEP = 100;

/** Looks again after `restMs`, or earlier when something is due earlier. */
export function expiredRecords(options: ExpiredRecordsOptions): Controller {
  return {
    name: 'expired-records',
    run: async (signal) => {
      while (!signal.aborted) {
        await forgetExpiredBans(options, signal);
        const due = await forgetExpiredRequests(options, signal);
        const wait = due === null ? options.restMs : due - options.clock.nowMs();
        await pause(options.timers, Math.max(1, Math.min(wait, options.restMs)), signal);
      }
    },
  };
}

/** @returns when the next is due, in milliseconds since 1970; null: nothing is remembered */
async function forgetExpiredRequests(
  { idempotence, clock, call }: ExpiredRecordsOptions,
  signal: AbortSignal,
): Promise<number | null> {
  const nowMs = clock.nowMs();
  let due: number | null = nowMs;
  while (due !== null && due <= nowMs && !signal.aborted) {
    due = await idempotence.forgetExpired({ nowMs, limit: RECORDS_PER_STEP }, call);
  }
  return due;
}

async function forgetExpiredBans(
  { bans, clock, call }: ExpiredRecordsOptions,
  signal: AbortSignal,
): Promise<void> {
  const nowMs = clock.nowMs();
  let after: string | null = null;
  do {
    const page: Page<Ban> = await bans.list({ after, limit: RECORDS_PER_STEP }, call);
    for (const { value, names, modRevision } of page.items) {
      if (signal.aborted) return;
      if (value.untilMs === null || value.untilMs > nowMs) continue;
      await bans.deleteAt(names, modRevision, call);
    }
    after = page.next;
  } while (after !== null);
}
