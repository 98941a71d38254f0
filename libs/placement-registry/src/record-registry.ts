/**
 * A registry of records that nobody owns: whoever may write, writes. A writer that depends on what it
 * read names the revision, and is refused when somebody else wrote in between.
 */

import type { CallOptions, Revision } from '@robustmq/placement';
import { changeRecord, type Decision } from './record-change.ts';
import type { RecordShape } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import { type RegistryStore, transactOnce } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** How the records of one registry are named. */
export interface RecordNaming<Value> {
  /** The part of the keys after the cluster. */
  readonly registry: string;
  readonly shape: RecordShape<Value>;
  /** What tells one record from another; all of it is part of the value. */
  namesOf(value: Value): readonly string[];
}

/** Records of one shape, each under the names that its value gives. */
export class RecordRegistry<Value> {
  readonly table: RecordTable<Value>;
  readonly #naming: RecordNaming<Value>;

  constructor(store: RegistryStore, naming: RecordNaming<Value>) {
    this.table = new RecordTable(store, naming.registry, naming.shape);
    this.#naming = naming;
  }

  /** @throws REGISTRY_EXISTS when there is one of that name */
  async create(value: Value, options: CallOptions): Promise<void> {
    const names = this.#naming.namesOf(value);
    await changeRecord(
      { table: this.table, names },
      ({ stored }) => {
        if (stored !== null) throw new RegistryError({ code: 'REGISTRY_EXISTS', key: stored.key });
        return this.#writing(value);
      },
      options,
    );
  }

  /**
   * Creates or replaces.
   *
   * @param expected  the revision that the writer read (0: that there was none); null: whatever is there
   * @throws REGISTRY_FENCED when the record is at another revision
   */
  async save(value: Value, expected: Revision | null, options: CallOptions): Promise<void> {
    const names = this.#naming.namesOf(value);
    const key = this.table.keyOf(names);
    await changeRecord(
      { table: this.table, names },
      ({ stored }) => {
        const current = stored?.modRevision ?? 0;
        if (expected !== null && expected !== current) {
          throw new RegistryError({ code: 'REGISTRY_FENCED', key, offered: expected, current });
        }
        return this.#writing(value);
      },
      options,
    );
  }

  /** @returns whether there was one */
  delete(names: readonly string[], options: CallOptions): Promise<boolean> {
    return changeRecord(
      { table: this.table, names },
      ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: false };
        const operations = [this.table.remove(names)];
        return { kind: 'write', operations, fences: [], compare: [], answer: true };
      },
      options,
    );
  }

  /** Deletes only what was read. @returns whether it stood as it was at `revision` */
  async deleteAt(
    names: readonly string[],
    revision: Revision,
    options: CallOptions,
  ): Promise<boolean> {
    const key = this.table.keyOf(names);
    const compare = [{ target: 'modRevision', key, relation: 'equal', number: revision } as const];
    const step = { compare, then: [this.table.remove(names)] };
    return (await transactOnce(this.table.store, step, options)).succeeded;
  }

  async read(names: readonly string[], options: CallOptions): Promise<Stored<Value> | null> {
    return (await this.table.read(names, options)).stored;
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<Value>> {
    return this.table.list([], page, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<Value> {
    return watchRegistry(this.table, options);
  }

  #writing(value: Value): Decision<null> {
    const operations = [this.table.put(this.#naming.namesOf(value), value, null)];
    return { kind: 'write', operations, fences: [], compare: [], answer: null };
  }
}
