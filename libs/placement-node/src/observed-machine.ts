/** The store as the Raft group drives it, with an ear for leases that come and go. */
import { type CommandResult, decodeCommand, type Lease, type LeaseId } from '@robustmq/placement';
import type { PlacementStore } from '@robustmq/placement-store';
import type { DataEntry } from '@robustmq/raft';
import type { StateMachine } from '@robustmq/raft-driver';
import type { OneAtATime } from './one-at-a-time.ts';

export interface LeaseObserver {
  granted(lease: Lease): void;
  /** It has ended, but its keys go in pieces, and some are left. */
  ended(id: LeaseId): void;
  revoked(id: LeaseId): void;
}

/**
 * The store itself; whatever it applies is told, in order, before the results are.
 *
 * @param turns  shared with whoever else calls what the store wants called one at a time
 */
export function observedMachine(
  store: PlacementStore,
  leases: LeaseObserver,
  turns: OneAtATime,
): StateMachine<CommandResult> {
  return {
    get appliedIndex() {
      return store.appliedIndex;
    },
    apply: (entries, through) =>
      turns.run(async () => {
        const results = await store.apply(entries, through);
        for (const [at, result] of results.entries()) observe(result, entries[at], leases);
        return results;
      }),
    flush: () => turns.run(() => store.flush()),
    openSnapshot: () => turns.run(() => store.openSnapshot()),
    install: (index, content) => turns.run(() => store.install(index, content)),
    close: () => turns.run(() => store.close()),
  };
}

function observe(result: CommandResult, entry: DataEntry | undefined, leases: LeaseObserver): void {
  if (result.kind === 'leaseGranted') {
    // One that was granted before may have ended since: it must not come back to life here.
    if (!result.repeated) leases.granted({ id: result.id, ttlSeconds: result.ttlSeconds });
    return;
  }
  if (result.kind !== 'leaseRevoked' || entry === undefined) return;
  const command = decodeCommand(entry.data);
  if (!command.ok || command.value.kind !== 'revokeLease') return;
  if (result.more) leases.ended(command.value.id);
  else leases.revoked(command.value.id);
}
