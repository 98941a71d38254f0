/** What operators decide about the place of a shard. */

import type { CallOptions } from '@robustmq/placement';
import { isSettled } from '@robustmq/shard-placement';
import type { NodeRegistry } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import type { ShardName, ShardRecord, ShardRegistry } from './shard-registry.ts';
import type { ShardStateRegistry } from './shard-state-registry.ts';

/** The registries that a move looks at. */
export interface MoveRegistries {
  readonly nodes: NodeRegistry;
  readonly shards: ShardRegistry;
  readonly shardStates: ShardStateRegistry;
}

/** A replica, the leadership, or both. */
export interface ShardMove {
  /**
   * null: no replica moves. `to` null: the server gives its replica up and deletes it, and the shard gets
   * another one soon, there or on another server.
   */
  readonly replica: { readonly from: number; readonly to: number | null } | null;
  /** null: as before, or where the replica of the preferred leader goes. */
  readonly leader: number | null;
}

/**
 * Decides a move; the shard's leader carries it out. A copy is complete on the new server before the old
 * one gives its own up.
 *
 * @throws REGISTRY_NOT_FOUND
 * @throws REGISTRY_SHARD_UNDER_WAY  it has no place yet, or its members are changing already
 * @throws REGISTRY_INVALID  there is no such replica, or the new server has one already or is not registered
 * @throws REGISTRY_FENCED   somebody else moved it at the same time: look again
 */
export async function moveShard(
  registries: MoveRegistries,
  request: ShardName & ShardMove,
  options: CallOptions,
): Promise<ShardRecord> {
  const { shards } = registries;
  const stored = await shards.read(request, options);
  if (stored === null) {
    const { namespace, shard } = request;
    throw new RegistryError({ code: 'REGISTRY_NOT_FOUND', key: `shards/${namespace}/${shard}` });
  }
  const record = stored.value;
  const state = await registries.shardStates.read(request, options);
  const observed = state?.value.groupId === record.groupId ? state.value : null;
  const { replicas, preferredLeader, replicasWanted: wanted } = record;
  if (!isSettled({ name: stored.key, wanted, replicas, preferredLeader, observed })) {
    throw new RegistryError({ code: 'REGISTRY_SHARD_UNDER_WAY', key: stored.key });
  }
  if (request.replica !== null) await assertPossible(registries, record, request.replica, options);
  return shards.assign(record, placeAfter(record, request), options);
}

async function assertPossible(
  { nodes }: MoveRegistries,
  record: ShardRecord,
  { from, to }: { readonly from: number; readonly to: number | null },
  options: CallOptions,
): Promise<void> {
  const held = record.replicas.join(', ');
  if (!record.replicas.includes(from)) throw invalid(`server ${from} has no replica; ${held} have`);
  if (to === null) {
    if (record.replicas.length > 1) return;
    throw invalid(`server ${from} has the only replica`);
  }
  if (record.replicas.includes(to)) throw invalid(`server ${to} has a replica already`);
  const server = await nodes.read({ clusterType: 'journal-server', nodeId: to }, options);
  if (server === null) throw invalid(`no journal server ${to} is registered`);
}

function placeAfter(
  record: ShardRecord,
  { replica, leader }: ShardMove,
): { readonly replicas: readonly number[]; readonly preferredLeader: number | null } {
  const after = (server: number): number | null => (server === replica?.from ? replica.to : server);
  const replicas = record.replicas
    .map(after)
    .filter((server) => server !== null)
    .toSorted((first, second) => first - second);
  if (leader !== null && !replicas.includes(leader)) {
    throw invalid(`server ${leader} cannot lead: ${replicas.join(', ')} have the replicas`);
  }
  const { preferredLeader } = record;
  const kept = preferredLeader === null ? null : after(preferredLeader);
  return { replicas, preferredLeader: leader ?? kept };
}

function invalid(detail: string): RegistryError {
  return new RegistryError({ code: 'REGISTRY_INVALID', detail });
}
