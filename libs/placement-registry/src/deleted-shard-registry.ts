/**
 * Which shards were deleted: what tells a journal server that it may delete its replica.
 *
 * Key: `deleted-shards/{group id, 16 digits}`. Value: {@link DeletedShard}.
 * Invariants: an entry is written in the transaction that ends the shard, and only there. A server deletes
 * nothing because a shard is not listed: a placement center that has lost its data, or a wrong one, lists
 * nothing at all. Entries end with their lease; a server that was away for longer keeps what it has.
 */

import type { CallOptions, Operation } from '@robustmq/placement';
import { count, fields, text } from './record-shape.ts';
import { RecordTable } from './record-table.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** One life of a shard that is over. */
export interface DeletedShard {
  readonly groupId: number;
  readonly namespace: string;
  readonly shard: string;
}

const DELETED = fields<DeletedShard>({ groupId: count, namespace: text, shard: text });

/** A month: longer than a server is away that comes back. */
const KEPT_SECONDS = 30 * 24 * 3600;

/** The deleted shards of one cluster. */
export class DeletedShardRegistry {
  readonly #table: RecordTable<DeletedShard>;

  constructor(store: RegistryStore) {
    this.#table = new RecordTable(store, 'deleted-shards', DELETED);
  }

  /** What remembers the end of a shard; part of the transaction that ends it. */
  async remembering(ended: DeletedShard, options: CallOptions): Promise<Operation> {
    const { placement } = this.#table.store;
    const { id } = await placement.grantLease(KEPT_SECONDS, options);
    return this.#table.put(deletedShardNames(ended.groupId), ended, id);
  }

  async has(groupId: number, options: CallOptions): Promise<boolean> {
    return (await this.#table.read(deletedShardNames(groupId), options)).stored !== null;
  }

  watch(options: RegistryWatchOptions): RegistryWatch<DeletedShard> {
    return watchRegistry(this.#table, options);
  }
}

/** The names in the key of an entry. */
export function deletedShardNames(groupId: number): readonly string[] {
  return [String(groupId).padStart(16, '0')];
}
