/**
 * Which sessions exist, and which node owns each.
 *
 * | key | value |
 * |---|---|
 * | `sessions/{clientId}` | {@link SessionRecord} |
 * | `session-owners/{nodeId}/{incarnation}/{clientId}` | the epoch: what a dead node leaves behind |
 * | `subscriptions/{clientId}/…`, `wills/{clientId}` | go with the session (see those registries) |
 *
 * Invariants: a session has at most one owner (MQTT-5.0 [MQTT-3.1.4-3] needs that across nodes). Every
 * change of the owner, to a node or to nobody, takes the next epoch; whoever writes names the epoch it
 * owns the session by, and an older one is refused. The second key exists exactly while the session has
 * that owner, because both change in one transaction.
 */

import type { CallOptions, DeleteOperation, Operation } from '@robustmq/placement';
import { assertEpoch, nextEpoch } from './epoch.ts';
import { changeRecord, type Decision, type Fence } from './record-change.ts';
import { count, fields, orNull, text } from './record-shape.ts';
import {
  type Page,
  type PageRequest,
  type Reading,
  RecordTable,
  type Stored,
} from './record-table.ts';
import type { NodeRegistry } from './node-registry.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** One life of one MQTT broker, and its name for the connection. */
export interface SessionOwner {
  readonly nodeId: number;
  readonly incarnation: number;
  readonly connectionId: number;
}

/** A session as it stands. */
export interface SessionRecord {
  readonly clientId: string;
  /** Higher with each owner; never used again for this client identifier. */
  readonly epoch: number;
  /** null: nobody serves it now. */
  readonly owner: SessionOwner | null;
  /** The session is this user's alone; null: it was made without a user name. */
  readonly username: string | null;
  /** MQTT-5.0 §3.1.2.11.2; 4,294,967,295 never expires. */
  readonly sessionExpirySeconds: number;
  /** MQTT-5.0 §3.1.3.2.2; 0 without a will. */
  readonly willDelaySeconds: number;
  /** Milliseconds since 1970, as are the others. */
  readonly createdAtMs: number;
  readonly connectedAtMs: number | null;
  readonly disconnectedAtMs: number | null;
}

/** What makes a session or takes it over. */
export interface SessionClaim {
  readonly clientId: string;
  /** null: it is made for nobody, or taken from its owner. */
  readonly owner: SessionOwner | null;
  /** Absent: as it was. */
  readonly username?: string | null;
  readonly sessionExpirySeconds: number;
  readonly willDelaySeconds: number;
  readonly nowMs: number;
}

/** What its owner may change. */
export interface SessionUpdate {
  readonly connectionId?: number;
  readonly sessionExpirySeconds?: number;
  readonly willDelaySeconds?: number;
  readonly connectedAtMs?: number;
  readonly disconnectedAtMs?: number;
}

/** A session as its owner names it in every write. */
export interface OwnedSession {
  readonly clientId: string;
  readonly epoch: number;
}

/** A life of a broker. */
export type OwnerName = Pick<SessionOwner, 'nodeId' | 'incarnation'>;

/** That a broker owns a session. */
export interface Ownership {
  readonly epoch: number;
}

/** Keys that end together with a session. */
export type SessionLeftovers = (clientId: string) => readonly DeleteOperation[];

const OWNER = fields<SessionOwner>({ nodeId: count, incarnation: count, connectionId: count });
const SESSION = fields<SessionRecord>({
  clientId: text,
  epoch: count,
  owner: orNull(OWNER),
  username: orNull(text),
  sessionExpirySeconds: count,
  willDelaySeconds: count,
  createdAtMs: count,
  connectedAtMs: orNull(count),
  disconnectedAtMs: orNull(count),
});
const OWNERSHIP = fields<Ownership>({ epoch: count });

/** The sessions of one cluster. */
export class SessionRegistry {
  readonly table: RecordTable<SessionRecord>;
  readonly #owned: RecordTable<Ownership>;
  readonly #nodes: NodeRegistry;
  readonly #leftovers: SessionLeftovers;

  constructor(store: RegistryStore, nodes: NodeRegistry, leftovers: SessionLeftovers) {
    this.table = new RecordTable(store, 'sessions', SESSION);
    this.#owned = new RecordTable(store, 'session-owners', OWNERSHIP);
    this.#nodes = nodes;
    this.#leftovers = leftovers;
  }

  /**
   * Makes the session, or takes it over from whoever owns it: the owner before may write no more.
   *
   * Of two that claim at once both succeed one after the other, and the later one owns it.
   *
   * @returns the session, and what stood before; null: it is new
   * @throws REGISTRY_FENCED  the claiming node has a successor
   */
  claim(
    claim: SessionClaim,
    options: CallOptions,
  ): Promise<{ readonly session: SessionRecord; readonly previous: SessionRecord | null }> {
    return changeRecord(
      this.#target(claim.clientId),
      (reading) => {
        const previous = reading.stored?.value ?? null;
        const session = claimed(reading, claim);
        const operations = this.#moves(previous, session);
        const answer = { session, previous };
        return {
          kind: 'write',
          operations,
          fences: this.#fencesOf(claim.owner),
          compare: [],
          answer,
        };
      },
      options,
    );
  }

  /**
   * Takes over only from the owner that the taker has seen; of two that see the same, one wins.
   *
   * @param known  the session as the taker has read it, which spares another reading
   * @throws REGISTRY_FENCED  somebody else took it over first, or it is gone
   */
  takeOver(
    seen: OwnedSession,
    claim: SessionClaim,
    options: CallOptions,
    known: Reading<SessionRecord> | null = null,
  ): Promise<SessionRecord> {
    return this.#changeOwned(seen, (reading) => claimed(reading, claim), {
      ...options,
      fences: this.#fencesOf(claim.owner),
      known: known?.stored?.value.epoch === seen.epoch ? known : null,
    });
  }

  /** @throws REGISTRY_FENCED  the epoch is not the newest: the writer does not own the session any more */
  update(owned: OwnedSession, change: SessionUpdate, options: CallOptions): Promise<SessionRecord> {
    return this.#changeOwned(owned, ({ stored }) => updated(stored.value, change), options);
  }

  /**
   * Leaves the session without an owner, with the next epoch: when its client has gone, or its node.
   *
   * @param terms  its expiry, when DISCONNECT has set another one (MQTT-5.0 §3.14.2.2.2)
   * @throws REGISTRY_FENCED
   */
  release(
    owned: OwnedSession,
    disconnectedAtMs: number,
    options: CallOptions,
    terms: Pick<SessionUpdate, 'sessionExpirySeconds'> = {},
  ): Promise<SessionRecord> {
    return this.#changeOwned(
      owned,
      (reading) => ({
        ...reading.stored.value,
        ...terms,
        epoch: nextEpoch(reading),
        owner: null,
        disconnectedAtMs,
      }),
      options,
    );
  }

  /** Ends the session with its subscriptions and its will. @throws REGISTRY_FENCED */
  async delete(owned: OwnedSession, options: CallOptions): Promise<void> {
    const key = this.table.keyOf([owned.clientId]);
    await changeRecord(
      this.#target(owned.clientId),
      (reading) => {
        assertEpoch(reading, { key, epoch: owned.epoch });
        const previous = reading.stored?.value ?? null;
        const operations = [
          this.table.remove([owned.clientId]),
          ...this.#disowns(previous),
          ...this.#leftovers(owned.clientId),
        ];
        return { kind: 'write', operations, fences: [], compare: [], answer: null };
      },
      options,
    );
  }

  async read(clientId: string, options: CallOptions): Promise<Stored<SessionRecord> | null> {
    return (await this.table.read([clientId], options)).stored;
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<SessionRecord>> {
    return this.table.list([], page, options);
  }

  /** Every life of a broker that owns sessions: one read for each, however many sessions it owns. */
  async listOwners(options: CallOptions): Promise<readonly OwnerName[]> {
    const owners: OwnerName[] = [];
    let after: string | null = null;
    for (;;) {
      const page: Page<Ownership> = await this.#owned.list([], { after, limit: 1 }, options);
      const [first] = page.items;
      if (first === undefined) return owners;
      const [nodeId = '', incarnation = ''] = first.names;
      owners.push({ nodeId: Number(nodeId), incarnation: Number(incarnation) });
      // No key is equal to the end of the range, because keys have one name more.
      after = this.#owned.rangeOf([nodeId, incarnation]).after;
    }
  }

  /** What one owner owns; the last name of each is the client identifier. */
  listOwned(
    { nodeId, incarnation }: OwnerName,
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<Ownership>> {
    return this.#owned.list([String(nodeId), String(incarnation)], page, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<SessionRecord> {
    return watchRegistry(this.table, options);
  }

  async #changeOwned(
    owned: OwnedSession,
    change: (reading: Present) => SessionRecord,
    options: CallOptions & {
      readonly fences?: readonly Fence[];
      readonly known?: Reading<SessionRecord> | null;
    },
  ): Promise<SessionRecord> {
    const key = this.table.keyOf([owned.clientId]);
    const { known = null } = options;
    return changeRecord(
      { ...this.#target(owned.clientId), known },
      (reading): Decision<SessionRecord> => {
        assertEpoch(reading, { key, epoch: owned.epoch });
        const present = reading as Present;
        const session = change(present);
        const operations = this.#moves(present.stored.value, session);
        const fences = options.fences ?? [];
        return { kind: 'write', operations, fences, compare: [], answer: session };
      },
      options,
    );
  }

  #fencesOf(owner: SessionOwner | null): readonly Fence[] {
    return owner === null ? [] : [this.#nodes.fence({ clusterType: 'mqtt-broker', ...owner })];
  }

  /** Puts the session, and keeps the key of its owner in step. */
  #moves(previous: SessionRecord | null, session: SessionRecord): readonly Operation[] {
    const put = this.table.put([session.clientId], session, null);
    const before = ownedNames(previous);
    const now = ownedNames(session);
    const disowns = before !== null && before.join('/') !== now?.join('/');
    return [
      put,
      ...(disowns ? [this.#owned.remove(before)] : []),
      ...(now === null ? [] : [this.#owned.put(now, { epoch: session.epoch }, null)]),
    ];
  }

  #disowns(previous: SessionRecord | null): readonly Operation[] {
    const names = ownedNames(previous);
    return names === null ? [] : [this.#owned.remove(names)];
  }

  #target(clientId: string) {
    return { table: this.table, names: [clientId] };
  }
}

type Present = Reading<SessionRecord> & { readonly stored: Stored<SessionRecord> };

function claimed(reading: Reading<SessionRecord>, claim: SessionClaim): SessionRecord {
  return {
    clientId: claim.clientId,
    epoch: nextEpoch(reading),
    owner: claim.owner,
    username: claim.username ?? reading.stored?.value.username ?? null,
    sessionExpirySeconds: claim.sessionExpirySeconds,
    willDelaySeconds: claim.willDelaySeconds,
    createdAtMs: reading.stored?.value.createdAtMs ?? claim.nowMs,
    connectedAtMs:
      claim.owner === null ? (reading.stored?.value.connectedAtMs ?? null) : claim.nowMs,
    disconnectedAtMs: reading.stored?.value.disconnectedAtMs ?? null,
  };
}

function updated(session: SessionRecord, change: SessionUpdate): SessionRecord {
  const { connectionId, ...times } = change;
  const owner =
    session.owner === null || connectionId === undefined
      ? session.owner
      : { ...session.owner, connectionId };
  return { ...session, ...times, owner };
}

function ownedNames(session: SessionRecord | null): readonly string[] | null {
  if (session === null || session.owner === null) return null;
  const { nodeId, incarnation } = session.owner;
  return [String(nodeId), String(incarnation), session.clientId];
}
