/**
 * The shards of the journal: what they are, and where they should be.
 *
 * Key: `shards/{namespace}/{shard}`. Value: {@link ShardRecord}.
 *
 *     create ──▶ without a place ──▶ placed on its founders ──▶ assigned anew, again and again ──▶ deleted
 *
 * Invariants: the group id is given once and names one life of one shard for ever. The preferred leader
 * is one of the replicas, or nobody. The epoch grows with each change of the record's place and is never
 * used again for this name; who writes names it, and an older one is refused. A shard ends together with
 * its segments and with what its leader told (`shard-states`).
 */

import type { CallOptions, DeleteOperation } from '@robustmq/placement';
import type { DeletedShardRegistry } from './deleted-shard-registry.ts';
import { assertEpoch, nextEpoch } from './epoch.ts';
import { changeRecord } from './record-change.ts';
import { count, fields, listOf, oneOf, orNull, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';
import { RETENTION, type ShardRetention } from './shard-retention.ts';
import type { UniqueIds } from './unique-ids.ts';

/** Names a shard. */
export interface ShardName {
  readonly namespace: string;
  readonly shard: string;
}

/** What the replicas do with what is committed; never changes. */
export const SHARD_KINDS = ['messages', 'keyed'] as const;

/** `messages`: an append-only sequence; `keyed`: the last record per key. */
export type ShardKind = (typeof SHARD_KINDS)[number];

/** A shard as it stands. */
export interface ShardRecord extends ShardName {
  readonly kind: ShardKind;
  /** Its Raft group: 1 to 4,294,967,295, never used for another shard. */
  readonly groupId: number;
  /** How many replicas it should have. */
  readonly replicasWanted: number;
  /** Node ids of the journal servers that should hold it, no two equal; empty: it has no place yet. */
  readonly replicas: readonly number[];
  /**
   * The first voters of the group. One of these founds it, if it has nothing of the group and no leader
   * has told a state yet (`ShardStateRegistry`); everybody else joins. Never changes once it is set.
   */
  readonly founders: readonly number[];
  /** Who of the replicas should lead when it can; null: whoever does. */
  readonly preferredLeader: number | null;
  readonly retention: ShardRetention;
  /** The epoch of the place. */
  readonly epoch: number;
  /** The number of the next segment, from 0. */
  readonly nextSegment: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
}

/** What is asked for when a shard is made. */
export interface ShardPlan {
  readonly kind: ShardKind;
  /** 1 to 9. */
  readonly replicas: number;
  readonly retention: ShardRetention;
  readonly nowMs: number;
}

/** LIMIT: replicasPerShardMax */
const replicasPerShardMax = 9;
const GROUP_ID_MAX = 0xffff_ffff;

const SHARD = fields<ShardRecord>({
  namespace: text,
  shard: text,
  kind: oneOf(SHARD_KINDS),
  groupId: count,
  replicasWanted: count,
  replicas: listOf(count),
  founders: listOf(count),
  preferredLeader: orNull(count),
  retention: RETENTION,
  epoch: count,
  nextSegment: count,
  createdAtMs: count,
});

/** What the registry of shards stands on. */
export interface ShardRegistryParts {
  readonly ids: UniqueIds;
  readonly deleted: DeletedShardRegistry;
  /** What ends together with a shard. */
  readonly belongingsOf: (name: ShardName) => readonly DeleteOperation[];
}

/** The shards of one cluster. */
export class ShardRegistry {
  readonly table: RecordTable<ShardRecord>;
  readonly #ids: UniqueIds;
  readonly #deleted: DeletedShardRegistry;
  readonly #belongingsOf: (name: ShardName) => readonly DeleteOperation[];

  constructor(store: RegistryStore, parts: ShardRegistryParts) {
    this.table = new RecordTable(store, 'shards', SHARD);
    this.#ids = parts.ids;
    this.#deleted = parts.deleted;
    this.#belongingsOf = parts.belongingsOf;
  }

  /**
   * Asks for a shard. It has no place when this settles; a controller gives it one (`placeShards`).
   *
   * @throws REGISTRY_EXISTS
   * @throws REGISTRY_INVALID  the number of replicas is not 1 to 9, or no group ids are left
   */
  async create(name: ShardName, plan: ShardPlan, options: CallOptions): Promise<ShardRecord> {
    assertPlan(plan);
    const names = shardNames(name);
    const key = this.table.keyOf(names);
    if ((await this.read(name, options)) !== null) {
      throw new RegistryError({ code: 'REGISTRY_EXISTS', key });
    }
    const groupId = await this.#takeGroupId(options);
    return changeRecord(
      { table: this.table, names },
      (reading) => {
        if (reading.stored !== null) throw new RegistryError({ code: 'REGISTRY_EXISTS', key });
        const record: ShardRecord = {
          namespace: name.namespace,
          shard: name.shard,
          kind: plan.kind,
          groupId,
          replicasWanted: plan.replicas,
          replicas: [],
          founders: [],
          preferredLeader: null,
          retention: plan.retention,
          epoch: nextEpoch(reading),
          nextSegment: 0,
          createdAtMs: plan.nowMs,
        };
        const operations = [this.table.put(names, record, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: record };
      },
      options,
    );
  }

  /**
   * Names other replicas or another preferred leader, with the next epoch. The first replicas of all are
   * the founders.
   *
   * @param seen.epoch  of the record that the writer decided about
   * @throws REGISTRY_FENCED  it was changed since, or is gone
   * @throws REGISTRY_INVALID  there are no replicas, the leader is none, or one is named twice
   */
  async assign(
    seen: ShardName & { readonly epoch: number },
    to: { readonly replicas: readonly number[]; readonly preferredLeader: number | null },
    options: CallOptions,
  ): Promise<ShardRecord> {
    assertAssignment(to);
    const names = shardNames(seen);
    const key = this.table.keyOf(names);
    return changeRecord(
      { table: this.table, names },
      (reading) => {
        assertEpoch(reading, { key, epoch: seen.epoch });
        const { value } = reading.stored as Stored<ShardRecord>;
        const { replicas, preferredLeader } = to;
        const founders = value.founders.length === 0 ? replicas : value.founders;
        const epoch = nextEpoch(reading);
        const moved = { ...value, replicas, preferredLeader, founders, epoch };
        const operations = [this.table.put(names, moved, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: moved };
      },
      options,
    );
  }

  /** Keeps more or less from now on. @throws REGISTRY_NOT_FOUND */
  retain(name: ShardName, retention: ShardRetention, options: CallOptions): Promise<ShardRecord> {
    const names = shardNames(name);
    return changeRecord(
      { table: this.table, names },
      ({ stored }) => {
        if (stored === null) {
          const key = this.table.keyOf(names);
          throw new RegistryError({ code: 'REGISTRY_NOT_FOUND', key });
        }
        const record = { ...stored.value, retention };
        const operations = [this.table.put(names, record, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: record };
      },
      options,
    );
  }

  /**
   * Ends the shard and all that belongs to it, and remembers that for the servers that hold it: they delete
   * what they have. @returns whether there was one
   */
  delete(name: ShardName, options: CallOptions): Promise<boolean> {
    const names = shardNames(name);
    return changeRecord(
      { table: this.table, names },
      async ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: false };
        const { groupId, namespace, shard } = stored.value;
        const ended = { groupId, namespace, shard };
        const operations = [
          this.table.remove(names),
          ...this.#belongingsOf(name),
          await this.#deleted.remembering(ended, options),
        ];
        return { kind: 'write', operations, fences: [], compare: [], answer: true };
      },
      options,
    );
  }

  async read(name: ShardName, options: CallOptions): Promise<Stored<ShardRecord> | null> {
    return (await this.table.read(shardNames(name), options)).stored;
  }

  /** Of one namespace, or of all. */
  list(
    namespace: string | null,
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<ShardRecord>> {
    return this.table.list(namespace === null ? [] : [namespace], page, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<ShardRecord> {
    return watchRegistry(this.table, options);
  }

  /** One that is taken and not used is lost: ids may be missing, never repeated. */
  async #takeGroupId(options: CallOptions): Promise<number> {
    const { first } = await this.#ids.takeBlock('raft-groups', 1, options);
    if (first <= GROUP_ID_MAX) return first;
    throw new RegistryError({ code: 'REGISTRY_INVALID', detail: 'no group ids are left' });
  }
}

/** The names in the key of a shard. */
export function shardNames(name: ShardName): readonly string[] {
  return [name.namespace, name.shard];
}

function assertPlan({ replicas }: ShardPlan): void {
  const isFine = Number.isSafeInteger(replicas) && replicas >= 1 && replicas <= replicasPerShardMax;
  if (isFine) return;
  const detail = `a shard cannot have ${replicas} replicas: 1 to ${replicasPerShardMax} are possible`;
  throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
}

function assertAssignment(to: {
  readonly replicas: readonly number[];
  readonly preferredLeader: number | null;
}): void {
  const { replicas, preferredLeader: leader } = to;
  const isLeaderFine = leader === null || replicas.includes(leader);
  const isFine = replicas.length > 0 && new Set(replicas).size === replicas.length;
  if (isLeaderFine && isFine) return;
  const detail = `leader ${String(leader)} of replicas ${replicas.join(', ')}`;
  throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
}
