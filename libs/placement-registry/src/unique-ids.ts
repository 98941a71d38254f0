/**
 * Numbers that are never given twice.
 *
 * Key: `unique-ids/{name}`, one per kind of number. Value: the next free one.
 * Invariant: it only grows, by one transaction per block, so blocks never overlap. A block whose taker
 * did not learn about it is lost: numbers may be missing, never repeated.
 */

import type { CallOptions } from '@robustmq/placement';
import { changeRecord } from './record-change.ts';
import { count, fields } from './record-shape.ts';
import { RecordTable } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';

/** The ids from `first` on, before `after`. */
export interface IdBlock {
  readonly first: number;
  readonly after: number;
}

/** LIMIT: idsPerBlockMax */
const idsPerBlockMax = 1_000_000;

/** The numbers of one cluster; each kind counts for itself. */
export class UniqueIds {
  readonly #table: RecordTable<{ readonly next: number }>;

  constructor(store: RegistryStore) {
    const shape = fields<{ readonly next: number }>({ next: count });
    this.#table = new RecordTable(store, 'unique-ids', shape);
  }

  /** Ids begin at 1. @throws REGISTRY_INVALID  size is not 1 to 1,000,000, or no safe integers are left */
  takeBlock(name: string, size: number, options: CallOptions): Promise<IdBlock> {
    return changeRecord(
      { table: this.#table, names: [name] },
      ({ stored }) => {
        const first = stored?.value.next ?? 1;
        const next = first + size;
        const isFine = Number.isSafeInteger(size) && size >= 1 && size <= idsPerBlockMax;
        if (!isFine || !Number.isSafeInteger(next)) {
          const detail = `no block of ${size} ids from ${first}; the most is ${idsPerBlockMax}`;
          throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
        }
        const operations = [this.#table.put([name], { next }, null)];
        const answer = { first, after: next };
        return { kind: 'write', operations, fences: [], compare: [], answer };
      },
      options,
    );
  }
}
