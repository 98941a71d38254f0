import type { CommandResult, LeaseId, Revision } from '@robustmq/placement';
import type { PlacementStore } from '@robustmq/placement-store';
import type { LogIndex } from '@robustmq/raft';
import { expect, test } from 'vitest';
import { observedMachine } from './observed-machine.ts';
import { OneAtATime } from './one-at-a-time.ts';

const REVISION = 1 as Revision;

/** Which leases are told as granted when the store answers so. */
async function toldOf(results: readonly CommandResult[]): Promise<readonly LeaseId[]> {
  const told: LeaseId[] = [];
  const store = { apply: () => Promise.resolve(results) } as unknown as PlacementStore;
  const ignore = (): void => undefined;
  const observer = {
    granted: ({ id }: { id: LeaseId }) => told.push(id),
    ended: ignore,
    revoked: ignore,
  };
  const machine = observedMachine(store, observer, new OneAtATime());
  await machine.apply([], 1 as LogIndex);
  return told;
}

function granted(id: number, repeated: boolean): CommandResult {
  return { kind: 'leaseGranted', id: id as LeaseId, ttlSeconds: 5, revision: REVISION, repeated };
}

test('a grant that is repeated under its request id does not bring an ended lease back', async () => {
  expect(await toldOf([granted(1, false), granted(2, true)])).toEqual([1]);
});
