/**
 * The shards of the journal, and who leads each.
 *
 * Key: `shards/{namespace}/{shard}`. Value: {@link ShardRecord}.
 * Invariants: the leader is one of the replicas, or nobody. The leader epoch grows with each change of
 * the leader or of the replicas and is never used again for this name; who writes names it, and an older
 * one is refused. A shard ends together with its segments.
 */

import type { CallOptions, DeleteOperation } from '@robustmq/placement';
import { assertEpoch, nextEpoch } from './epoch.ts';
import { changeRecord } from './record-change.ts';
import { count, fields, listOf, orNull, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import type { NodeRegistry } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';
import { preferredNodes } from './rendezvous.ts';

/** Names a shard. */
export interface ShardName {
  readonly namespace: string;
  readonly shard: string;
}

/** A shard as it stands. */
export interface ShardRecord extends ShardName {
  /** Node ids of journal servers; no two are equal. */
  readonly replicas: readonly number[];
  /** One of the replicas; null: none leads now. */
  readonly leader: number | null;
  /** The leader epoch. */
  readonly epoch: number;
  /** The number of the next segment, from 0. */
  readonly nextSegment: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
}

const SHARD = fields<ShardRecord>({
  namespace: text,
  shard: text,
  replicas: listOf(count),
  leader: orNull(count),
  epoch: count,
  nextSegment: count,
  createdAtMs: count,
});

/** The shards of one cluster. */
export class ShardRegistry {
  readonly table: RecordTable<ShardRecord>;
  readonly #nodes: NodeRegistry;
  readonly #segmentsOf: (name: ShardName) => DeleteOperation;

  constructor(
    store: RegistryStore,
    nodes: NodeRegistry,
    segmentsOf: (name: ShardName) => DeleteOperation,
  ) {
    this.table = new RecordTable(store, 'shards', SHARD);
    this.#nodes = nodes;
    this.#segmentsOf = segmentsOf;
  }

  /**
   * Makes a shard on `replicas` of the journal servers that are alive; the first preferred one leads.
   *
   * @throws REGISTRY_EXISTS
   * @throws REGISTRY_NODES_MISSING  fewer are alive
   */
  create(
    name: ShardName,
    plan: { readonly replicas: number; readonly nowMs: number },
    options: CallOptions,
  ): Promise<ShardRecord> {
    const names = shardNames(name);
    return changeRecord(
      { table: this.table, names },
      async (reading) => {
        if (reading.stored !== null) {
          throw new RegistryError({ code: 'REGISTRY_EXISTS', key: reading.stored.key });
        }
        const replicas = await this.#place(name, plan.replicas, options);
        const { namespace, shard } = name;
        const record: ShardRecord = {
          namespace,
          shard,
          replicas,
          leader: replicas[0] ?? null,
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
   * Names another leader or other replicas, with the next epoch.
   *
   * @param seen.epoch  of the record that the writer decided about
   * @throws REGISTRY_FENCED  it was changed since, or is gone
   * @throws REGISTRY_INVALID  the leader is no replica, or a replica is named twice
   */
  async assign(
    seen: ShardName & { readonly epoch: number },
    to: { readonly replicas: readonly number[]; readonly leader: number | null },
    options: CallOptions,
  ): Promise<ShardRecord> {
    assertAssignment(to);
    const names = shardNames(seen);
    const key = this.table.keyOf(names);
    return changeRecord(
      { table: this.table, names },
      (reading) => {
        assertEpoch(reading, { key, epoch: seen.epoch });
        const record = { ...(reading.stored as Stored<ShardRecord>).value, ...to };
        const moved = { ...record, epoch: nextEpoch(reading) };
        const operations = [this.table.put(names, moved, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: moved };
      },
      options,
    );
  }

  /** Ends the shard and all its segments. @returns whether there was one */
  delete(name: ShardName, options: CallOptions): Promise<boolean> {
    const names = shardNames(name);
    return changeRecord(
      { table: this.table, names },
      ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: false };
        const operations = [this.table.remove(names), this.#segmentsOf(name)];
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

  async #place(
    name: ShardName,
    replicas: number,
    options: CallOptions,
  ): Promise<readonly number[]> {
    if (!Number.isSafeInteger(replicas) || replicas < 1) {
      const detail = `a shard cannot have ${replicas} replicas`;
      throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
    }
    const alive = await this.#nodes.listAll('journal-server', options);
    if (alive.length < replicas) {
      const fault = { code: 'REGISTRY_NODES_MISSING', wanted: replicas } as const;
      throw new RegistryError({ ...fault, alive: alive.length });
    }
    const ids = alive.map((node) => node.nodeId);
    return preferredNodes(`${name.namespace}/${name.shard}`, ids, replicas);
  }
}

/** The names in the key of a shard. */
export function shardNames(name: ShardName): readonly string[] {
  return [name.namespace, name.shard];
}

function assertAssignment(to: {
  readonly replicas: readonly number[];
  readonly leader: number | null;
}): void {
  const isLeaderFine = to.leader === null || to.replicas.includes(to.leader);
  if (isLeaderFine && new Set(to.replicas).size === to.replicas.length) return;
  const detail = `leader ${String(to.leader)} of replicas ${to.replicas.join(', ')}`;
  throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
}
