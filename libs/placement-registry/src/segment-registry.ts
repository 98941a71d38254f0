/**
 * The segments of each shard, in order.
 *
 * Key: `segments/{namespace}/{shard}/{number, 16 digits}`. Value: {@link SegmentRecord}.
 * Invariants: numbers are given in order and never twice, by the counter in the shard's record, which
 * changes in the same transaction. Only the last segment is active: the next one begins where the one
 * before it was sealed. Who writes names the leader epoch of the shard.
 */

import type { CallOptions, Comparison, DeleteOperation } from '@robustmq/placement';
import { assertEpoch } from './epoch.ts';
import { changeRecord } from './record-change.ts';
import { count, fields, oneOf, orNull, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import {
  type ShardName,
  type ShardRecord,
  type ShardRegistry,
  shardNames,
} from './shard-registry.ts';

/** Names a segment. */
export interface SegmentName extends ShardName {
  readonly segment: number;
}

/** A segment as it stands. */
export interface SegmentRecord extends SegmentName {
  readonly status: 'active' | 'sealed';
  /** The first journal offset in it; null: who began it did not tell. */
  readonly firstOffset: number | null;
  /** The offset after the last one in it; null while it is active, or not told. */
  readonly afterOffset: number | null;
}

const SEGMENT = fields<SegmentRecord>({
  namespace: text,
  shard: text,
  segment: count,
  status: oneOf(['active', 'sealed']),
  firstOffset: orNull(count),
  afterOffset: orNull(count),
});

/** The segments of all shards of one cluster. */
export class SegmentRegistry {
  readonly #table: RecordTable<SegmentRecord>;
  readonly #shards: ShardRegistry;

  constructor(store: RegistryStore, shards: ShardRegistry) {
    this.#table = segmentTable(store);
    this.#shards = shards;
  }

  /**
   * Seals the active segment, if there is one, and begins the next at `firstOffset`.
   *
   * @throws REGISTRY_FENCED  the leader epoch is not the newest, or the shard is gone
   */
  begin(
    shard: ShardName & { readonly epoch: number },
    firstOffset: number | null,
    options: CallOptions,
  ): Promise<SegmentRecord> {
    const { table } = this.#shards;
    const names = shardNames(shard);
    return changeRecord(
      { table, names },
      async (reading) => {
        assertEpoch(reading, { key: table.keyOf(names), epoch: shard.epoch });
        const record = (reading.stored as Stored<ShardRecord>).value;
        const { namespace, nextSegment: segment } = record;
        const begun: SegmentRecord = {
          namespace,
          shard: record.shard,
          segment,
          status: 'active',
          firstOffset,
          afterOffset: null,
        };
        const sealing = await this.#sealing(
          { ...shard, segment: segment - 1 },
          firstOffset,
          options,
        );
        const operations = [
          table.put(names, { ...record, nextSegment: segment + 1 }, null),
          this.#table.put(segmentNames(begun), begun, null),
          ...sealing.operations,
        ];
        const { compare } = sealing;
        return { kind: 'write', operations, fences: [], compare, answer: begun };
      },
      options,
    );
  }

  /** Removes one that is not the active one any more, or the last of all. @returns whether it existed */
  delete(name: SegmentName, options: CallOptions): Promise<boolean> {
    return changeRecord(
      { table: this.#table, names: segmentNames(name) },
      ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: false };
        const operations = [this.#table.remove(segmentNames(name))];
        return { kind: 'write', operations, fences: [], compare: [], answer: true };
      },
      options,
    );
  }

  async read(name: SegmentName, options: CallOptions): Promise<SegmentRecord | null> {
    return (await this.#table.read(segmentNames(name), options)).stored?.value ?? null;
  }

  /** Ascending by number. */
  list(shard: ShardName, page: PageRequest, options: CallOptions): Promise<Page<SegmentRecord>> {
    return this.#table.list(shardNames(shard), page, options);
  }

  async #sealing(
    name: SegmentName,
    afterOffset: number | null,
    options: CallOptions,
  ): Promise<Sealing> {
    if (name.segment < 0) return { operations: [], compare: [] };
    const names = segmentNames(name);
    const { stored } = await this.#table.read(names, options);
    if (stored === null || stored.value.status === 'sealed') return { operations: [], compare: [] };
    const { firstOffset } = stored.value;
    if (afterOffset !== null && firstOffset !== null && afterOffset < firstOffset) {
      const detail = `segment ${name.segment} begins at ${firstOffset}, after ${afterOffset}`;
      throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
    }
    const sealed: SegmentRecord = { ...stored.value, status: 'sealed', afterOffset };
    return {
      operations: [this.#table.put(names, sealed, null)],
      compare: [this.#table.unchanged(names, stored)],
    };
  }
}

interface Sealing {
  readonly operations: readonly ReturnType<RecordTable<SegmentRecord>['put']>[];
  readonly compare: readonly Comparison[];
}

/** All segments of a shard, for the registry of shards that deletes them. */
export function segmentsOfShard(store: RegistryStore, name: ShardName): DeleteOperation {
  return { kind: 'delete', range: segmentTable(store).rangeOf(shardNames(name)) };
}

function segmentTable(store: RegistryStore): RecordTable<SegmentRecord> {
  return new RecordTable(store, 'segments', SEGMENT);
}

function segmentNames(name: SegmentName): readonly string[] {
  return [...shardNames(name), String(name.segment).padStart(16, '0')];
}
