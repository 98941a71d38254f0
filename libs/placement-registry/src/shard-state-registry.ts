/**
 * What the leader of each shard told last: who belongs to the group, and how much it holds.
 *
 * Key: `shard-states/{namespace}/{shard}`. Value: {@link ShardState}.
 * Invariants: a state is told by the node that led in its term, while that life of the node and of the
 * shard lasts; one of an older term never replaces one of a newer. While there is none, nobody has led
 * the group yet, so its founders may found it.
 */

import type { CallOptions } from '@robustmq/placement';
import type { NodeRegistry } from './node-registry.ts';
import { changeRecord } from './record-change.ts';
import { count, fields, listOf, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';
import { type ShardName, shardNames, type ShardRegistry } from './shard-registry.ts';

/** A shard as its leader sees it. */
export interface ShardState extends ShardName {
  /** The life of the shard that this is about. */
  readonly groupId: number;
  /** Of the record that the leader worked by: from there on it adds nobody that the record does not name. */
  readonly epoch: number;
  /** The Raft term in which `leader` led: what it says is fenced by it. */
  readonly term: number;
  readonly leader: number;
  /** Of the leading node, as registered. */
  readonly incarnation: number;
  /** Ascending. */
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** The offset after the last committed record; of a keyed shard the revision. */
  readonly committed: number;
  /** The first offset that is kept. */
  readonly oldest: number;
  /** On the leader's disk. */
  readonly bytes: number;
  /** Milliseconds since 1970, by the leader's clock. */
  readonly toldAtMs: number;
}

const STATE = fields<ShardState>({
  namespace: text,
  shard: text,
  groupId: count,
  epoch: count,
  term: count,
  leader: count,
  incarnation: count,
  voters: listOf(count),
  learners: listOf(count),
  committed: count,
  oldest: count,
  bytes: count,
  toldAtMs: count,
});

/** The states of all shards of one cluster. */
export class ShardStateRegistry {
  readonly #table: RecordTable<ShardState>;
  readonly #shards: ShardRegistry;
  readonly #nodes: NodeRegistry;

  constructor(store: RegistryStore, shards: ShardRegistry, nodes: NodeRegistry) {
    this.#table = shardStateTable(store);
    this.#shards = shards;
    this.#nodes = nodes;
  }

  /**
   * Replaces what was told before.
   *
   * @throws REGISTRY_FENCED  a newer term was told, the shard is gone or lives anew, or the node has
   *   registered again
   */
  tell(state: ShardState, options: CallOptions): Promise<void> {
    const names = shardNames(state);
    const { table } = this.#shards;
    const { leader: nodeId, incarnation } = state;
    const fence = this.#nodes.fence({ clusterType: 'journal-server', nodeId, incarnation });
    return changeRecord(
      { table: this.#table, names },
      async ({ stored }) => {
        const shard = await this.#shards.read(state, options);
        if (shard === null || shard.value.groupId !== state.groupId) {
          const current = shard?.value.groupId ?? 0;
          throw fenced(table.keyOf(names), state.groupId, current);
        }
        if (stored !== null) assertNewer(stored, state);
        const number = shard.createRevision;
        const key = shard.key;
        return {
          kind: 'write',
          operations: [this.#table.put(names, state, null)],
          fences: [fence],
          compare: [{ target: 'createRevision', key, relation: 'equal', number }],
          answer: undefined,
        };
      },
      options,
    );
  }

  /** null: nobody has led it yet. */
  async read(name: ShardName, options: CallOptions): Promise<Stored<ShardState> | null> {
    return (await this.#table.read(shardNames(name), options)).stored;
  }

  /** Of one namespace, or of all. */
  list(
    namespace: string | null,
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<ShardState>> {
    return this.#table.list(namespace === null ? [] : [namespace], page, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<ShardState> {
    return watchRegistry(this.#table, options);
  }
}

/** For the registry of shards, which deletes them. */
export function shardStateTable(store: RegistryStore): RecordTable<ShardState> {
  return new RecordTable(store, 'shard-states', STATE);
}

function assertNewer({ key, value }: Stored<ShardState>, state: ShardState): void {
  const isOther = value.term === state.term && value.leader !== state.leader;
  if (value.term > state.term || isOther) throw fenced(key, state.term, value.term);
}

function fenced(key: string, offered: number, current: number): RegistryError {
  return new RegistryError({ code: 'REGISTRY_FENCED', key, offered, current });
}
