/**
 * Will messages of sessions, until they are published or given up (MQTT-5.0 §3.1.2.5).
 *
 * | key | value | lives |
 * |---|---|---|
 * | `wills/{clientId}` | {@link WillRecord} | with the session, until it is taken |
 * | `due-wills/{clientId}/{epoch}` | {@link DueWill}: taken, and not known to be published | until it is |
 *
 * Invariants: only the owner of the session saves its will; a will goes with its session. Of those who
 * take a will to publish it, one gets it: in one step it is no will of the session any more, and due, with
 * the taker's name. Who finds one whose taker is dead may take it from there, and again one gets it.
 */

import type { CallOptions, Operation } from '@robustmq/placement';
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

/** One life of a broker. */
export interface WillTaker {
  readonly nodeId: number;
  readonly incarnation: number;
}

/** A will that is to be published, whatever becomes of its session. */
export interface DueWill extends WillRecord, WillTaker {
  /** As the first taker noted: nothing that it published for the will is before this place. */
  readonly from: number;
}

const DUE = fields<DueWill>({
  clientId: text,
  epoch: count,
  message: bytes,
  nodeId: count,
  incarnation: count,
  from: count,
});

const WILL = fields<WillRecord>({
  clientId: text,
  epoch: count,
  message: bytes,
});

/** The wills of one cluster. */
export class WillRegistry {
  readonly #table: RecordTable<WillRecord>;
  readonly #due: RecordTable<DueWill>;
  readonly #sessions: SessionRegistry;

  constructor(store: RegistryStore, sessions: SessionRegistry) {
    this.#table = willTable(store);
    this.#due = new RecordTable(store, 'due-wills', DUE);
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
   * Makes the will due, while the session is at the epoch that the caller names; null: there is none (any
   * more).
   *
   * @param placeOf  the place, for the encoded message, from which on it will be published; null: it is not
   *   to be published, and the answer is null
   * @throws REGISTRY_FENCED  the session is at another epoch: the will may be that of a new connection
   */
  async takeOwned(
    owner: OwnedSession,
    by: { readonly taker: WillTaker; readonly placeOf: (message: Uint8Array) => number | null },
    options: CallOptions,
  ): Promise<DueWill | null> {
    const names = [owner.clientId];
    const { table } = this.#sessions;
    return changeRecord<WillRecord, DueWill | null>(
      { table: this.#table, names },
      async ({ stored }) => {
        const session = await table.read(names, options);
        assertEpoch(session, { key: table.keyOf(names), epoch: owner.epoch });
        if (stored === null) return { kind: 'leave', answer: null };
        const { nodeId, incarnation } = by.taker;
        const from = by.placeOf(stored.value.message);
        const due = from === null ? null : { ...stored.value, nodeId, incarnation, from };
        const operations: Operation[] = [this.#table.remove(names)];
        if (due !== null) operations.push(this.#due.put(namesOf(due), due, null));
        const compare = [table.unchanged(names, session.stored)];
        return { kind: 'write', operations, fences: [], compare, answer: due };
      },
      options,
    );
  }

  /** Takes a will that is due from a taker that is dead; null: it is published, or somebody was first. */
  retake(due: DueWill, taker: WillTaker, options: CallOptions): Promise<DueWill | null> {
    const { nodeId, incarnation } = taker;
    const mine = { ...due, nodeId, incarnation };
    return this.#changeDue(due, [this.#due.put(namesOf(due), mine, null)], { mine, options });
  }

  /** It is published: nobody need do it again. Nothing happens when it was taken from this taker. */
  async published(due: DueWill, options: CallOptions): Promise<void> {
    await this.#changeDue(due, [this.#due.remove(namesOf(due))], { mine: due, options });
  }

  /** Wills that are taken and not known to be published. */
  listDue(page: PageRequest, options: CallOptions): Promise<Page<DueWill>> {
    return this.#due.list([], page, options);
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<WillRecord>> {
    return this.#table.list([], page, options);
  }

  /** @returns `mine`; null: the will is not due any more, or has another taker */
  #changeDue(
    due: DueWill,
    operations: readonly Operation[],
    { mine, options }: { readonly mine: DueWill; readonly options: CallOptions },
  ): Promise<DueWill | null> {
    return changeRecord<DueWill, DueWill | null>(
      { table: this.#due, names: namesOf(due) },
      ({ stored }) => {
        const { nodeId, incarnation } = stored?.value ?? { nodeId: -1, incarnation: -1 };
        const isItsOwn = nodeId === due.nodeId && incarnation === due.incarnation;
        if (!isItsOwn) return { kind: 'leave', answer: null };
        return { kind: 'write', operations, fences: [], compare: [], answer: mine };
      },
      options,
    );
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

function namesOf({ clientId, epoch }: WillRecord): readonly string[] {
  return [clientId, String(epoch)];
}

/** Where the wills are, for the registry of sessions that deletes them. */
export function willTable(store: RegistryStore): RecordTable<WillRecord> {
  return new RecordTable(store, 'wills', WILL);
}
