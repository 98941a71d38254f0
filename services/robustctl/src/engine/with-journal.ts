import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import { JournalError, type SharedJournal } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import type { CallOptions } from '@robustmq/placement';
import type { Registries, ShardName, ShardRecord } from '@robustmq/placement-registry';
import type { ClusterFlags } from '../cluster/cluster-flags.ts';
import { withRegistries } from '../cluster/with-registries.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { connectionFrom } from '../placement/connection.ts';
import { shardText } from './engine-flags.ts';

/** A running journal, and what the registry says about it. */
export interface UsedJournal {
  readonly journal: SharedJournal;
  readonly registries: Registries;
  readonly call: CallOptions;
}

/** Uses the journal servers of a cluster for the shards of one namespace. @throws CommandError */
export function withJournal(
  flags: ClusterFlags,
  namespace: string,
  use: (used: UsedJournal) => Promise<void>,
): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const { tls, token } = connectionFrom(flags);
    const edges = { timers: systemTimers, random: systemRandom };
    const journal = connectJournal({
      places: registryPlaces({ registries, fallback: [], onServers: null, ...edges }),
      namespace,
      tls,
      token,
      limits: null,
      clock: systemClock,
      ...edges,
    });
    try {
      await use({ journal, registries, call });
    } catch (error) {
      throw journalFailure(error);
    } finally {
      await journal.close();
    }
  });
}

/** The shard's record. @throws CommandError when there is none */
export async function knownShard(
  { registries, call }: UsedJournal,
  name: ShardName,
): Promise<ShardRecord> {
  const stored = await registries.shards.read(name, call);
  if (stored !== null) return stored.value;
  throw new CommandError(ExitCode.unavailable, `there is no shard ${shardText(name)}`);
}

function journalFailure(error: unknown): unknown {
  if (!(error instanceof JournalError)) return error;
  const { code } = error.fault;
  const exitCode = code === 'JOURNAL_UNAVAILABLE' ? ExitCode.unavailable : ExitCode.failed;
  return new CommandError(exitCode, error.message, { cause: error });
}
