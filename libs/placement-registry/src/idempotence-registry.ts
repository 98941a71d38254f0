/**
 * Which numbered requests of which producers were carried out.
 *
 * | key | value |
 * |---|---|
 * | `idempotence/{producer}/{sequence}` | {@link IdempotenceRecord} |
 * | `idempotence-expiry/{expiresAtMs, 16 digits}/{producer}/{sequence}` | the same: what is due first is first |
 *
 * Invariants: both keys are put and deleted in the same transaction. A record is kept at least until
 * it expires; the `expiredRecords` controller removes it some time after.
 */

import type { CallOptions } from '@robustmq/placement';
import { changeRecord } from './record-change.ts';
import { count, fields, text } from './record-shape.ts';
import { type Reading, RecordTable } from './record-table.ts';
import type { RegistryStore } from './registry-store.ts';

/** Names one request. */
export interface RequestName {
  readonly producer: string;
  readonly sequence: number;
}

/** That a request was carried out. */
export interface IdempotenceRecord extends RequestName {
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

const SHAPE = fields<IdempotenceRecord>({ producer: text, sequence: count, expiresAtMs: count });

/** The requests that are remembered. */
export class IdempotenceRegistry {
  readonly #records: RecordTable<IdempotenceRecord>;
  readonly #expiry: RecordTable<IdempotenceRecord>;

  constructor(store: RegistryStore) {
    this.#records = new RecordTable(store, 'idempotence', SHAPE);
    this.#expiry = new RecordTable(store, 'idempotence-expiry', SHAPE);
  }

  /**
   * Remembers a request.
   *
   * @returns `first`, or `repeated` when it is remembered already; the expiry is then as it was
   */
  mark(record: IdempotenceRecord, options: CallOptions): Promise<'first' | 'repeated'> {
    const names = namesOf(record);
    return changeRecord<IdempotenceRecord, 'first' | 'repeated'>(
      { table: this.#records, names },
      ({ stored }) => {
        if (stored !== null) return { kind: 'leave', answer: 'repeated' };
        const operations = [
          this.#records.put(names, record, null),
          this.#expiry.put(expiryNames(record), record, null),
        ];
        return { kind: 'write', operations, fences: [], compare: [], answer: 'first' };
      },
      options,
    );
  }

  async isMarked(request: RequestName, options: CallOptions): Promise<boolean> {
    return (await this.#records.read(namesOf(request), options)).stored !== null;
  }

  /** Forgets a request. @returns whether it was remembered */
  forget(request: RequestName, options: CallOptions): Promise<boolean> {
    const decide = (reading: Reading<IdempotenceRecord>) => this.#forgetting(reading);
    return changeRecord({ table: this.#records, names: namesOf(request) }, decide, options);
  }

  /**
   * Forgets at most `limit` records that are over at `nowMs`, the oldest first.
   *
   * @returns when the next is due, in milliseconds since 1970; null: nothing is remembered
   */
  async forgetExpired(
    due: { readonly nowMs: number; readonly limit: number },
    options: CallOptions,
  ): Promise<number | null> {
    const page = await this.#expiry.list([], { after: null, limit: due.limit }, options);
    for (const { value } of page.items) {
      if (value.expiresAtMs > due.nowMs) return value.expiresAtMs;
      await this.forget(value, options);
    }
    return page.next === null ? null : due.nowMs;
  }

  #forgetting({ stored }: Reading<IdempotenceRecord>) {
    if (stored === null) return { kind: 'leave', answer: false } as const;
    const operations = [
      this.#records.remove(namesOf(stored.value)),
      this.#expiry.remove(expiryNames(stored.value)),
    ];
    return { kind: 'write', operations, fences: [], compare: [], answer: true } as const;
  }
}

function namesOf(request: RequestName): readonly string[] {
  return [request.producer, String(request.sequence)];
}

function expiryNames(record: IdempotenceRecord): readonly string[] {
  return [String(record.expiresAtMs).padStart(16, '0'), ...namesOf(record)];
}
