/**
 * Will messages of sessions, until they are published or given up (MQTT-5.0 §3.1.2.5).
 *
 * Key: `wills/{clientId}`. Value: {@link WillRecord}.
 * Invariants: only the owner of the session saves its will; a will goes with its session. Of those who
 * take a will to publish it, one gets it: it is read and deleted in one step.
 */

import type { CallOptions } from '@robustmq/placement';
import { assertEpoch } from './epoch.ts';
import { changeRecord } from './record-change.ts';
import { bytes, count, fields, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable } from './record-table.ts';
import type { RegistryStore } from './registry-store.ts';
import type { OwnedSession, SessionRegistry } from './session-registry.ts';

/** A will with the epoch of the session that it was given with. */
export interface WillRecord {
  readonly clientId: string;
  readonly epoch: number;
  /** The message, encoded by the broker: opaque here. */
  readonly message: Uint8Array;
}

const WILL = fields<WillRecord>({
  clientId: text,
  epoch: count,
  message: bytes,
});

/** The wills of one cluster. */
export class WillRegistry {
  readonly #table: RecordTable<WillRecord>;
  readonly #sessions: SessionRegistry;

  constructor(store: RegistryStore, sessions: SessionRegistry) {
    this.#table = willTable(store);
    this.#sessions = sessions;
  }

  /** Replaces the will of the session. @throws REGISTRY_FENCED */
  async save(will: WillRecord, options: CallOptions): Promise<void> {
    const put = this.#table.put([will.clientId], will, null);
    await this.#changeOwned(will, put, options);
  }

  /** Removes the will: the client said goodbye (MQTT-5.0 [MQTT-3.1.2-10]). @throws REGISTRY_FENCED */
  async discard(owner: OwnedSession, options: CallOptions): Promise<void> {
    await this.#changeOwned(owner, this.#table.remove([owner.clientId]), options);
  }

  async read(clientId: string, options: CallOptions): Promise<WillRecord | null> {
    return (await this.#table.read([clientId], options)).stored?.value ?? null;
  }

  /** Removes the will and hands it to this caller alone; null: there is none (any more). */
  take(clientId: string, options: CallOptions): Promise<WillRecord | null> {
    return changeRecord<WillRecord, WillRecord | null>(
      { table: this.#table, names: [clientId] },
      ({ stored }) => {
        if (stored === null) return { kind: 'leave', answer: null };
        const operations = [this.#table.remove([clientId])];
        return { kind: 'write', operations, fences: [], compare: [], answer: stored.value };
      },
      options,
    );
  }

  /**
   * As `take`, while the session is at the epoch that the caller names.
   *
   * @throws REGISTRY_FENCED  it is not: the will may be that of a new connection
   */
  async takeOwned(owner: OwnedSession, options: CallOptions): Promise<WillRecord | null> {
    const names = [owner.clientId];
    const { table } = this.#sessions;
    return changeRecord<WillRecord, WillRecord | null>(
      { table: this.#table, names },
      async ({ stored }) => {
        const session = await table.read(names, options);
        assertEpoch(session, { key: table.keyOf(names), epoch: owner.epoch });
        if (stored === null) return { kind: 'leave', answer: null };
        const operations = [this.#table.remove(names)];
        const compare = [table.unchanged(names, session.stored)];
        return { kind: 'write', operations, fences: [], compare, answer: stored.value };
      },
      options,
    );
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<WillRecord>> {
    return this.#table.list([], page, options);
  }

  async #changeOwned(
    owner: OwnedSession,
    operation: ReturnType<RecordTable<WillRecord>['put' | 'remove']>,
    options: CallOptions,
  ): Promise<void> {
    const { table } = this.#sessions;
    const names = [owner.clientId];
    await changeRecord(
      { table, names },
      (reading) => {
        assertEpoch(reading, { key: table.keyOf(names), epoch: owner.epoch });
        return { kind: 'write', operations: [operation], fences: [], compare: [], answer: null };
      },
      options,
    );
  }
}

/** Where the wills are, for the registry of sessions that deletes them. */
export function willTable(store: RegistryStore): RecordTable<WillRecord> {
  return new RecordTable(store, 'wills', WILL);
}
