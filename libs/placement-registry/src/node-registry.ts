/**
 * Which processes of the cluster are alive, and in which incarnation.
 *
 * | key | value | lives |
 * |---|---|---|
 * | `nodes/{type}/{id}` | {@link NodeRecord} | as long as the lease of the incarnation |
 * | `incarnations/{type}/{id}` | the number again | for ever |
 *
 * Invariants: the incarnation of a node is the version of its `incarnations` key, which is only ever
 * put, so it grows by one with each registration and never comes back. A node that registers again
 * takes over from its predecessor in one transaction; the lease of the predecessor is then revoked, and
 * everything bound to it goes with it. What a node writes elsewhere compares {@link NodeRegistry.fence},
 * so a predecessor that still runs is refused.
 */

import type { CallOptions, Lease, LeaseId } from '@robustmq/placement';
import { PlacementError } from '@robustmq/placement';
import { changeRecord, type Fence } from './record-change.ts';
import { count, fields, oneOf, type RecordShape, text } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable, type Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryStore } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** The kinds of process that register, in the order of RobustMQ's `ClusterType` (0 to 3). */
export const CLUSTER_TYPES = [
  'placement-center',
  'journal-server',
  'mqtt-broker',
  'amqp-broker',
] as const;

/** One of {@link CLUSTER_TYPES}. */
export type ClusterType = (typeof CLUSTER_TYPES)[number];

/** Names a node: its kind and its number within the kind. */
export interface NodeName {
  readonly clusterType: ClusterType;
  /** A safe integer from 0 on. */
  readonly nodeId: number;
}

/** What a node says about itself. */
export interface NodeDescription extends NodeName {
  readonly nodeIp: string;
  /** Where other nodes reach it, `host:port`. */
  readonly innerAddress: string;
  /** Anything, for those who know the node. */
  readonly extendInfo: string;
}

/** A node as it is registered. */
export interface NodeRecord extends NodeDescription {
  /** Counts the registrations of this node, from 1. */
  readonly incarnation: number;
  /** Milliseconds since 1970, by the clock of who registered it. */
  readonly registeredAtMs: number;
}

/** One life of one node: what its owner keeps to stay registered and to write. */
export interface Registration {
  readonly node: NodeRecord;
  readonly lease: LeaseId;
}

/** The newest life of a node. */
export interface NodeLife {
  readonly nodeId: number;
  readonly incarnation: number;
  /** As it is registered; null: that life is over, too. */
  readonly record: NodeRecord | null;
}

const NODE_RECORD: RecordShape<NodeRecord> = fields<NodeRecord>({
  clusterType: oneOf(CLUSTER_TYPES),
  nodeId: count,
  nodeIp: text,
  innerAddress: text,
  extendInfo: text,
  incarnation: count,
  registeredAtMs: count,
});

const INCARNATION = fields<{ readonly incarnation: number }>({ incarnation: count });

/** The nodes of one cluster. */
export class NodeRegistry {
  readonly #store: RegistryStore;
  readonly #nodes: RecordTable<NodeRecord>;
  readonly #incarnations: RecordTable<{ readonly incarnation: number }>;

  constructor(store: RegistryStore) {
    this.#store = store;
    this.#nodes = new RecordTable(store, 'nodes', NODE_RECORD);
    this.#incarnations = new RecordTable(store, 'incarnations', INCARNATION);
  }

  /**
   * Begins the next incarnation of a node, under a lease of its own.
   *
   * @param life.ttlSeconds  how long it stays registered without a heartbeat
   * @throws REGISTRY_CONTENDED when several processes register as the same node all the time
   */
  async register(
    node: NodeDescription,
    life: { readonly ttlSeconds: number; readonly nowMs: number },
    options: CallOptions,
  ): Promise<Registration> {
    const { id: lease } = await this.#store.placement.grantLease(life.ttlSeconds, options);
    try {
      const begun = await this.#begin(node, { lease, nowMs: life.nowMs }, options);
      if (begun.superseded !== null) await this.#endLease(begun.superseded, options);
      return { node: begun.record, lease };
    } catch (error) {
      if (!isOutcomeUnknown(error)) await this.#endLease(lease, options).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Stays registered for the whole time to live from now.
   *
   * @throws PLACEMENT_LEASE_NOT_FOUND, REGISTRY_FENCED  the lease ended or a successor registered: this
   *   incarnation is over, and its owner must stop acting before it registers again
   */
  async heartbeat(registration: Registration, options: CallOptions): Promise<Lease> {
    const { node } = registration;
    const lease = await this.#store.placement.keepLease(registration.lease, options);
    const stored = await this.read(node, options);
    const current = stored?.value.incarnation ?? 0;
    if (current === node.incarnation) return lease;
    // A successor that stopped between its two steps left this lease behind.
    await this.#endLease(registration.lease, options);
    const key = this.#nodes.keyOf(namesOf(node));
    throw new RegistryError({ code: 'REGISTRY_FENCED', key, offered: node.incarnation, current });
  }

  /**
   * Changes what a registered node says about itself; the incarnation and its lease stay.
   *
   * @throws REGISTRY_FENCED  this incarnation is over
   */
  describe(
    { node, lease }: Registration,
    extendInfo: string,
    options: CallOptions,
  ): Promise<NodeRecord> {
    const names = namesOf(node);
    return changeRecord(
      { table: this.#nodes, names },
      ({ stored }) => {
        const current = stored?.value.incarnation ?? 0;
        if (stored === null || current !== node.incarnation) {
          const key = this.#nodes.keyOf(names);
          const { incarnation: offered } = node;
          throw new RegistryError({ code: 'REGISTRY_FENCED', key, offered, current });
        }
        const record = { ...stored.value, extendInfo };
        return {
          kind: 'write',
          operations: [this.#nodes.put(names, record, lease)],
          fences: [this.fence(node)],
          compare: [],
          answer: record,
        };
      },
      options,
    );
  }

  /** Ends a node's incarnation and all that is bound to its lease. @returns whether it was registered */
  async unregister(name: NodeName, options: CallOptions): Promise<boolean> {
    const stored = await this.read(name, options);
    if (stored === null || stored.lease === null) return false;
    await this.#endLease(stored.lease, options);
    return true;
  }

  /** null: not registered now. */
  async read(name: NodeName, options: CallOptions): Promise<Stored<NodeRecord> | null> {
    return (await this.#nodes.read(namesOf(name), options)).stored;
  }

  /** All of a kind, ascending by node id as text; null: of every kind. */
  list(
    clusterType: ClusterType | null,
    page: PageRequest,
    options: CallOptions,
  ): Promise<Page<NodeRecord>> {
    return this.#nodes.list(clusterType === null ? [] : [clusterType], page, options);
  }

  /** Every node of a kind that is registered now, ascending by node id. */
  async listAll(clusterType: ClusterType, options: CallOptions): Promise<readonly NodeRecord[]> {
    const found: NodeRecord[] = [];
    let after: string | null = null;
    do {
      const page: Page<NodeRecord> = await this.list(clusterType, { after, limit: 500 }, options);
      for (const { value } of page.items) found.push(value);
      after = page.next;
    } while (after !== null);
    return found.sort((first, second) => first.nodeId - second.nodeId);
  }

  /**
   * Every node of a kind that ever registered, with its newest incarnation and whether that is alive: all
   * others are over for good. Linearizable, in this order: one that is not alive here never will be again.
   */
  async listLives(clusterType: ClusterType, options: CallOptions): Promise<readonly NodeLife[]> {
    const begun = new Map<number, number>();
    let after: string | null = null;
    do {
      const request: PageRequest = { after, limit: 500 };
      const page: Page<{ readonly incarnation: number }> = await this.#incarnations.list(
        [clusterType],
        request,
        options,
      );
      for (const { names, version } of page.items) begun.set(Number(names.at(-1)), version);
      after = page.next;
    } while (after !== null);
    const alive = await this.listAll(clusterType, options);
    return [...begun].map(([nodeId, incarnation]) => {
      const record = alive.find((each) => each.nodeId === nodeId) ?? null;
      // It may have begun another life between the two readings.
      return { nodeId, incarnation: Math.max(incarnation, record?.incarnation ?? 0), record };
    });
  }

  watch(options: RegistryWatchOptions): RegistryWatch<NodeRecord> {
    return watchRegistry(this.#nodes, options);
  }

  /** Holds only while `incarnation` is the newest that ever registered. */
  fence(node: NodeName & { readonly incarnation: number }): Fence {
    return { key: this.#incarnations.keyOf(namesOf(node)), number: node.incarnation };
  }

  /** Whether this incarnation is over: it never comes back. */
  async isOver(
    node: NodeName & { readonly incarnation: number },
    options: CallOptions,
  ): Promise<boolean> {
    const stored = await this.read(node, options);
    return stored === null || stored.value.incarnation !== node.incarnation;
  }

  #begin(
    node: NodeDescription,
    life: { readonly lease: LeaseId; readonly nowMs: number },
    options: CallOptions,
  ): Promise<{ readonly record: NodeRecord; readonly superseded: LeaseId | null }> {
    const names = namesOf(node);
    return changeRecord(
      { table: this.#incarnations, names },
      async ({ stored }) => {
        const incarnation = (stored?.version ?? 0) + 1;
        const before = await this.#nodes.read(names, options);
        const record = { ...node, incarnation, registeredAtMs: life.nowMs };
        return {
          kind: 'write',
          operations: [
            this.#incarnations.put(names, { incarnation }, null),
            this.#nodes.put(names, record, life.lease),
          ],
          fences: [],
          compare: [],
          answer: { record, superseded: before.stored?.lease ?? null },
        };
      },
      options,
    );
  }

  async #endLease(lease: LeaseId, options: CallOptions): Promise<void> {
    try {
      await this.#store.placement.revokeLease(lease, options);
    } catch (error) {
      const isGone =
        error instanceof PlacementError && error.fault.code === 'PLACEMENT_LEASE_NOT_FOUND';
      if (!isGone) throw error;
    }
  }
}

function namesOf(name: NodeName): readonly string[] {
  if (!Number.isSafeInteger(name.nodeId) || name.nodeId < 0) {
    const detail = `node id ${name.nodeId} is no whole number`;
    throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
  }
  return [name.clusterType, String(name.nodeId)];
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof PlacementError && error.fault.code === 'PLACEMENT_OUTCOME_UNKNOWN';
}
