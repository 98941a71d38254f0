/** One registry's keys: where they are, and how their values read. Writes only through operations. */

import type {
  CallOptions,
  Comparison,
  DeleteOperation,
  KeyRange,
  KeyValue,
  LeaseId,
  PutOperation,
  Revision,
} from '@robustmq/placement';
import { keyBelow, namesBelow, rangeBelow, rangeOfKey, successorOf } from './key-space.ts';
import type { RecordShape } from './record-shape.ts';
import { decodeRecord, encodeRecord } from './record-text.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';

/** A record as it stands in the store. */
export interface Stored<Value> {
  readonly key: string;
  /** The names in the key, unescaped. */
  readonly names: readonly string[];
  readonly value: Value;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Counts the puts since the record came to be, from 1. */
  readonly version: number;
  readonly lease: LeaseId | null;
}

/** A record or its absence, and the revision of the store at which it was read. */
export interface Reading<Value> {
  readonly stored: Stored<Value> | null;
  readonly revision: Revision;
}

/** Which part of a listing is wanted. */
export interface PageRequest {
  /** `next` of the page before; null: from the start. */
  readonly after: string | null;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** Some records, ascending by the UTF-8 bytes of their keys. */
export interface Page<Value> {
  readonly items: readonly Stored<Value>[];
  /** Where the next page begins; null: this is the last. */
  readonly next: string | null;
  readonly revision: Revision;
}

/** LIMIT: recordsPerPageMax */
const recordsPerPageMax = 1_000;

/** Reads records, and makes the operations that write them. */
export class RecordTable<Value> {
  readonly store: RegistryStore;
  /** Ends in `/`. */
  readonly prefix: string;
  readonly shape: RecordShape<Value>;

  constructor(store: RegistryStore, name: string, shape: RecordShape<Value>) {
    this.store = store;
    this.prefix = `${store.root}${name}/`;
    this.shape = shape;
  }

  /** @throws REGISTRY_INVALID */
  keyOf(names: readonly string[]): string {
    return keyBelow(this.prefix, names);
  }

  /** Every key below the first names; all of the table for none. */
  rangeOf(names: readonly string[]): KeyRange {
    return rangeBelow(names.length === 0 ? this.prefix : `${this.keyOf(names)}/`);
  }

  put(names: readonly string[], value: Value, lease: LeaseId | null): PutOperation {
    const encoded = encodeRecord(this.shape, value);
    return { kind: 'put', key: this.keyOf(names), value: encoded, lease };
  }

  remove(names: readonly string[]): DeleteOperation {
    return { kind: 'delete', range: rangeOfKey(this.keyOf(names)) };
  }

  /** Holds while the record is as it was read. */
  unchanged(names: readonly string[], stored: Stored<Value> | null): Comparison {
    const number = stored?.modRevision ?? 0;
    return { target: 'modRevision', key: this.keyOf(names), relation: 'equal', number };
  }

  /** @throws REGISTRY_RECORD_UNREADABLE */
  decode(keyValue: KeyValue): Stored<Value> {
    const { key, createRevision, modRevision, version, lease } = keyValue;
    const value = decodeRecord(this.shape, keyValue);
    const names = namesBelow(this.prefix, key);
    return { key, names, value, createRevision, modRevision, version, lease };
  }

  async read(names: readonly string[], options: CallOptions): Promise<Reading<Value>> {
    const request = {
      range: rangeOfKey(this.keyOf(names)),
      limit: 1,
      content: 'whole',
      consistency: 'linearizable',
    } as const;
    const reply = await this.store.placement.range(request, options);
    const found = reply.keyValues[0];
    return { stored: found === undefined ? null : this.decode(found), revision: reply.revision };
  }

  /** The records below the first names, a page at a time; each page is of a revision of its own. */
  async list(
    names: readonly string[],
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<Value>> {
    assertPage(page);
    const whole = this.rangeOf(names);
    const first = page.after === null ? whole.first : successorOf(page.after);
    const request = {
      range: { first: first < whole.first ? whole.first : first, after: whole.after },
      limit: page.limit,
      content: 'whole',
      consistency: 'linearizable',
    } as const;
    const reply = await this.store.placement.range(request, options);
    const items = reply.keyValues.map((keyValue) => this.decode(keyValue));
    const next = reply.more ? (items.at(-1)?.key ?? null) : null;
    return { items, next, revision: reply.revision };
  }
}

function assertPage(page: PageRequest): void {
  if (Number.isInteger(page.limit) && page.limit >= 1 && page.limit <= recordsPerPageMax) return;
  const detail = `a page of ${page.limit} records: 1 to ${recordsPerPageMax} are possible`;
  throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
}
