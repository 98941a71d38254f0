import { systemClock } from '@robustmq/environment';
import type { CallOptions } from '@robustmq/placement';
import {
  moveShard,
  type Page,
  type Registries,
  type ShardName,
  type ShardRecord,
  type ShardState,
} from '@robustmq/placement-registry';
import type { ClusterFlags, ListFlags } from '../cluster/cluster-flags.ts';
import { type ListLayout, printPages } from '../cluster/paged-list.ts';
import { withRegistries } from '../cluster/with-registries.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note, print } from '../output.ts';
import {
  type CreateFlags,
  type MoveFlags,
  type RetentionFlags,
  retentionFrom,
  shardNameFrom,
  shardText,
} from './engine-flags.ts';

/** How often `--wait` looks. */
const LOOK_MS = 200;

/** A shard, and what its leader told; null: nothing yet. */
interface ShownShard {
  readonly record: ShardRecord;
  readonly state: ShardState | null;
}

/** `engine shard list` */
export function runShardList(namespace: string | undefined, flags: ListFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const { shards, shardStates } = registries;
    await printPages(flags, SHARDS, async (request) => {
      const page: Page<ShardRecord> = await shards.list(namespace ?? null, request, call);
      const items = await Promise.all(
        page.items.map(async (stored) => {
          const state = (await shardStates.read(stored.value, call))?.value ?? null;
          return { ...stored, value: shown(stored.value, state) };
        }),
      );
      return { ...page, items };
    });
  });
}

/** `engine shard create NAME` */
export function runShardCreate(text: string, flags: CreateFlags): Promise<void> {
  const name = shardNameFrom(text);
  const { kind, replicas } = flags;
  const plan = { kind, replicas, retention: retentionFrom(flags), nowMs: systemClock.nowMs() };
  return withRegistries(flags, async ({ shards }, call) => {
    printShard(await shards.create(name, plan, call), flags, 'created');
  });
}

/** `engine shard delete NAME` */
export function runShardDelete(
  text: string,
  flags: ClusterFlags & { readonly yes?: true },
): Promise<void> {
  const name = shardNameFrom(text);
  if (flags.yes !== true) {
    throw new CommandError(
      ExitCode.usage,
      `deleting ${shardText(name)} deletes every record in it, on every server: add --yes`,
    );
  }
  return withRegistries(flags, async ({ shards }, call) => {
    const wasThere = await shards.delete(name, call);
    if (flags.output === 'json') print(JSON.stringify({ ...name, deleted: wasThere }));
    else print(wasThere ? `deleted ${shardText(name)}` : `there is no ${shardText(name)}`);
  });
}

/** `engine shard retain NAME` */
export function runShardRetain(text: string, flags: ClusterFlags & RetentionFlags): Promise<void> {
  const name = shardNameFrom(text);
  return withRegistries(flags, async ({ shards }, call) => {
    printShard(await shards.retain(name, retentionFrom(flags), call), flags, 'changed');
  });
}

/** `engine shard move NAME` */
export function runShardMove(text: string, flags: MoveFlags): Promise<void> {
  const name = shardNameFrom(text);
  const { from, to, leader } = flags;
  if ((from === undefined) !== (to === undefined) || (from === undefined && leader === undefined)) {
    throw new CommandError(ExitCode.usage, 'name --from and --to, or --leader, or all three');
  }
  const replica = from === undefined || to === undefined ? null : { from, to };
  const move = { ...name, replica, leader: leader ?? null };
  return withRegistries(flags, async (registries, call) => {
    const decided = await moveShard(registries, move, call);
    if (flags.wait === true) await waitUntilMoved(registries, decided, call);
    printShard(decided, flags, flags.wait === true ? 'moved' : 'is to move');
  });
}

/** `engine shard rebuild NAME --on NODE`: a server makes its replica anew from the others. */
export function runShardRebuild(
  text: string,
  flags: ClusterFlags & { readonly on: number },
): Promise<void> {
  const move = { ...shardNameFrom(text), replica: { from: flags.on, to: null }, leader: null };
  return withRegistries(flags, async (registries, call) => {
    printShard(await moveShard(registries, move, call), flags, `is rebuilt on ${flags.on}`);
  });
}

/** Until the leader has told a group as decided. @throws CommandError `timedOut` */
async function waitUntilMoved(
  registries: Registries,
  decided: ShardRecord,
  call: CallOptions,
): Promise<void> {
  const endMs = systemClock.monotonicMs() + call.deadlineMs;
  while (!isMoved(decided, await readState(registries, decided, call))) {
    if (systemClock.monotonicMs() + LOOK_MS > endMs) {
      throw new CommandError(
        ExitCode.timedOut,
        `${shardText(decided)} is still moving; it goes on by itself. --timeout waits longer`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function isMoved(decided: ShardRecord, state: ShardState | null): boolean {
  if (state === null || state.learners.length > 0) return false;
  const isLed = decided.preferredLeader === null || state.leader === decided.preferredLeader;
  return isLed && state.voters.join() === decided.replicas.join();
}

async function readState(
  { shardStates }: Registries,
  name: ShardName,
  call: CallOptions,
): Promise<ShardState | null> {
  return (await shardStates.read(name, call))?.value ?? null;
}

function shown(record: ShardRecord, state: ShardState | null): ShownShard {
  return { record, state: state?.groupId === record.groupId ? state : null };
}

const SHARDS: ListLayout<ShownShard> = {
  heading: ['shard', 'kind', 'replicas', 'voters', 'leader', 'oldest', 'end', 'bytes', 'state'],
  row: ({ record, state }) => [
    shardText(record),
    record.kind,
    record.replicas.join(',') || '-',
    state?.voters.join(',') ?? '-',
    state === null ? '-' : String(state.leader),
    state === null ? '-' : String(state.oldest),
    state === null ? '-' : String(state.committed),
    state === null ? '-' : String(state.bytes),
    progressOf(record, state),
  ],
  record: ({ record, state }) => ({ ...record, state }),
};

/** In a word what is going on. */
function progressOf(record: ShardRecord, state: ShardState | null): string {
  if (record.replicas.length === 0) return 'waits for servers';
  if (state === null) return 'is being founded';
  if (state.learners.length > 0 || state.voters.join() !== record.replicas.join()) return 'moves';
  return record.replicas.length < record.replicasWanted ? 'lacks replicas' : 'settled';
}

function printShard(record: ShardRecord, flags: ClusterFlags, done: string): void {
  if (flags.output === 'json') {
    print(JSON.stringify(record));
    return;
  }
  const { replicas, preferredLeader, replicasWanted } = record;
  print(`${shardText(record)} ${done}: group ${record.groupId}, ${record.kind}`);
  if (replicas.length === 0) note(`it gets its place on up to ${replicasWanted} servers soon`);
  else note(`replicas ${replicas.join(', ')}; leader ${preferredLeader ?? 'whoever is elected'}`);
}
