/**
 * The topics that were created, and where their retained messages are.
 *
 * Key: `topics/{topic}`. Value: {@link TopicRecord}; what the pointer points to is the journal's
 * business. Invariant: a pointer with a lower sequence does not replace one with a higher, so brokers
 * that race leave the newest message retained (MQTT-5.0 §3.3.1.3).
 */

import type { CallOptions } from '@robustmq/placement';
import { changeRecord } from './record-change.ts';
import { bytes, count, fields, orNull, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** Where the retained message of a topic is. */
export interface RetainedPointer {
  /** Grows with each retained message of the topic. */
  readonly sequence: number;
  /** Such as shard and offset; null: the message was removed. */
  readonly pointer: Uint8Array | null;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAtMs: number | null;
}

/** A topic as it stands. */
export interface TopicRecord {
  readonly topic: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** null: nothing was ever retained. */
  readonly retained: RetainedPointer | null;
}

const TOPIC_RECORD = fields<TopicRecord>({
  topic: text,
  createdAtMs: count,
  retained: orNull(
    fields<RetainedPointer>({
      sequence: count,
      pointer: orNull(bytes),
      expiresAtMs: orNull(count),
    }),
  ),
});

/** The topics of one cluster. */
export class TopicRegistry {
  readonly table: RecordTable<TopicRecord>;

  constructor(store: RegistryStore) {
    this.table = new RecordTable(store, 'topics', TOPIC_RECORD);
  }

  /** @returns whether it is new */
  create(topic: string, nowMs: number, options: CallOptions): Promise<boolean> {
    return changeRecord(
      { table: this.table, names: [topic] },
      ({ stored }) => {
        if (stored !== null) return { kind: 'leave', answer: false };
        const record = { topic, createdAtMs: nowMs, retained: null };
        const operations = [this.table.put([topic], record, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: true };
      },
      options,
    );
  }

  /**
   * @param retained.sequence  `next`: one more than that of the message retained now
   * @throws REGISTRY_NOT_FOUND
   * @throws REGISTRY_FENCED  a newer one was retained already
   */
  async retain(
    topic: string,
    retained: Omit<RetainedPointer, 'sequence'> & { readonly sequence: number | 'next' },
    options: CallOptions,
  ): Promise<void> {
    const key = this.table.keyOf([topic]);
    await changeRecord(
      { table: this.table, names: [topic] },
      ({ stored }) => {
        if (stored === null) throw new RegistryError({ code: 'REGISTRY_NOT_FOUND', key });
        const current = stored.value.retained?.sequence ?? 0;
        const offered = retained.sequence === 'next' ? current + 1 : retained.sequence;
        if (offered < current) {
          throw new RegistryError({ code: 'REGISTRY_FENCED', key, offered, current });
        }
        const record = { ...stored.value, retained: { ...retained, sequence: offered } };
        const operations = [this.table.put([topic], record, null)];
        return { kind: 'write', operations, fences: [], compare: [], answer: null };
      },
      options,
    );
  }

  /** @returns whether there was one */
  delete(topic: string, options: CallOptions): Promise<boolean> {
    return changeRecord(
      { table: this.table, names: [topic] },
      ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: false };
        const operations = [this.table.remove([topic])];
        return { kind: 'write', operations, fences: [], compare: [], answer: true };
      },
      options,
    );
  }

  async read(topic: string, options: CallOptions): Promise<Stored<TopicRecord> | null> {
    return (await this.table.read([topic], options)).stored;
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<TopicRecord>> {
    return this.table.list([], page, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<TopicRecord> {
    return watchRegistry(this.table, options);
  }
}
