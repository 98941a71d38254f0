/**
 * Where members are reached: as their configuration says, and as the group itself keeps it for those
 * that were added later.
 *
 *     /placement/members/7   "host:port"     added, or told by its founder's configuration
 *     /placement/removed/7   "removed"       never to be used again: see NodeId in libs/raft
 */
import {
  type KeyRange,
  type Operation,
  prefixRange,
  type RevisionEvents,
} from '@robustmq/placement';
import type { PlacementStore } from '@robustmq/placement-store';
import type { NodeId } from '@robustmq/raft';

const MEMBERS = '/placement/members/';
const REMOVED = '/placement/removed/';
/** Everything that the group keeps about its members. */
export const MEMBER_KEYS: KeyRange = prefixRange('/placement/');

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

export class MemberAddresses {
  readonly #configured: ReadonlyMap<NodeId, string>;
  readonly #stored = new Map<NodeId, string>();
  readonly #removed = new Set<NodeId>();
  readonly #onChange: () => void;

  constructor(configured: ReadonlyMap<NodeId, string>, onChange: () => void) {
    this.#configured = configured;
    this.#onChange = onChange;
  }

  /** What this member's configuration says wins: it may have moved. */
  addressOf(node: NodeId): string | null {
    return this.#configured.get(node) ?? this.#stored.get(node) ?? null;
  }

  isRemoved(node: NodeId): boolean {
    return this.#removed.has(node);
  }

  /** Everyone to talk to but `own`. */
  peersOf(own: NodeId): ReadonlyMap<NodeId, string> {
    const peers = new Map([...this.#stored, ...this.#configured]);
    for (const node of [own, ...this.#removed]) peers.delete(node);
    return peers;
  }

  /** Reads what the store holds, at the start and after a snapshot. */
  async load(store: PlacementStore): Promise<void> {
    const { keyValues } = await store.range({ range: MEMBER_KEYS, limit: 0, content: 'whole' });
    this.#stored.clear();
    this.#removed.clear();
    for (const { key, value } of keyValues) this.#put(key, value);
    this.#onChange();
  }

  applied(revisions: readonly RevisionEvents[]): void {
    let changed = false;
    for (const { events } of revisions) {
      for (const event of events) {
        const key = event.kind === 'put' ? event.keyValue.key : event.key;
        if (!key.startsWith('/placement/')) continue;
        changed = true;
        if (event.kind === 'put') this.#put(key, event.keyValue.value);
        else this.#delete(key);
      }
    }
    if (changed) this.#onChange();
  }

  /**
   * What the store lacks about `members`, as far as this member knows. Others that it has addresses of
   * were removed by a leader that did not come to writing it down.
   */
  corrections(members: readonly NodeId[]): readonly Operation[] {
    const missing = members.filter(
      (node) => this.#configured.has(node) && this.#stored.get(node) !== this.#configured.get(node),
    );
    const gone = [...this.#stored.keys()].filter((node) => !members.includes(node));
    return [
      ...missing.map((node) => putAddress(node, this.#configured.get(node) ?? '')),
      ...gone.flatMap((node) => [deleteAddress(node), putRemoved(node)]),
    ];
  }

  #put(key: string, value: Uint8Array): void {
    const node = nodeOf(key);
    if (key.startsWith(MEMBERS)) this.#stored.set(node, utf8.decoder.decode(value));
    if (key.startsWith(REMOVED)) this.#removed.add(node);
  }

  #delete(key: string): void {
    const node = nodeOf(key);
    if (key.startsWith(MEMBERS)) this.#stored.delete(node);
    if (key.startsWith(REMOVED)) this.#removed.delete(node);
  }
}

export function putAddress(node: NodeId, address: string): Operation {
  return {
    kind: 'put',
    key: keyOf(MEMBERS, node),
    value: utf8.encoder.encode(address),
    lease: null,
  };
}

export function deleteAddress(node: NodeId): Operation {
  const key = keyOf(MEMBERS, node);
  return { kind: 'delete', range: { first: key, after: `${key}\0` } };
}

/** The key that marks a number as used up. */
export function removedKey(node: NodeId): string {
  return keyOf(REMOVED, node);
}

/** Marks a number as used up. */
export function putRemoved(node: NodeId): Operation {
  return {
    kind: 'put',
    key: removedKey(node),
    value: utf8.encoder.encode('removed'),
    lease: null,
  };
}

function keyOf(prefix: string, node: NodeId): string {
  return prefix + String(node);
}

function nodeOf(key: string): NodeId {
  return Number(key.slice(key.lastIndexOf('/') + 1)) as NodeId;
}
