import type { CallOptions } from '@robustmq/placement';
import {
  type DeletedShard,
  deletedShardNames,
  type NodeRecord,
  type Registries,
  type ShardRecord,
  type ShardState,
  WatchedRecords,
} from '@robustmq/placement-registry';

/** What a journal server must know of its cluster, followed by watches. */
export class RegistryView {
  readonly #servers: WatchedRecords<NodeRecord>;
  readonly #shards: WatchedRecords<ShardRecord>;
  readonly #states: WatchedRecords<ShardState>;
  readonly #deleted: WatchedRecords<DeletedShard>;
  readonly #all: readonly WatchedRecords<unknown>[];
  #hasEnded = false;

  constructor(
    registries: Pick<Registries, 'nodes' | 'shards' | 'shardStates' | 'deletedShards'>,
    call: CallOptions,
  ) {
    const { nodes, shards, shardStates, deletedShards } = registries;
    this.#servers = new WatchedRecords(nodes.watch({ within: ['journal-server'], call }));
    this.#shards = new WatchedRecords(shards.watch({ within: [], call }));
    this.#states = new WatchedRecords(shardStates.watch({ within: [], call }));
    this.#deleted = new WatchedRecords(deletedShards.watch({ within: [], call }));
    this.#all = [this.#servers, this.#shards, this.#states, this.#deleted];
  }

  /** Everything that there was at the beginning is known: before that nothing may be concluded. */
  get isComplete(): boolean {
    return this.#all.every(({ isListed }) => isListed);
  }

  /** A watch has ended: what is here becomes old. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Until {@link cancel}. Called once. @throws PlacementError the first that ended a watch */
  async follow(onChange: () => void): Promise<void> {
    const ends = this.#all.map(async (each) => {
      try {
        await each.follow(onChange);
      } finally {
        this.#hasEnded = true;
        this.cancel();
        onChange();
      }
    });
    // Each is waited for, so that none fails unheard; the first failure is told.
    for (const end of await Promise.allSettled(ends)) {
      if (end.status === 'rejected') throw end.reason;
    }
  }

  cancel(): void {
    for (const each of this.#all) each.cancel();
  }

  shards(): readonly ShardRecord[] {
    return this.#shards.values();
  }

  /** Of this life of the shard. */
  stateOf(record: ShardRecord): ShardState | null {
    const state = this.#states.get([record.namespace, record.shard]);
    return state?.groupId === record.groupId ? state : null;
  }

  isDeleted(groupId: number): boolean {
    return this.#deleted.get(deletedShardNames(groupId)) !== null;
  }

  alive(): ReadonlySet<number> {
    return new Set(this.#servers.values().map(({ nodeId }) => nodeId));
  }
}
