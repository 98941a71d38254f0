/**
 * Which nodes have subscribers for a topic filter, so that messages are forwarded to those only.
 *
 * Key: `routes/{topic filter}/{nodeId}`, bound to the lease of the node. Value: {@link RouteRecord}.
 * Invariants: a route is written only by the newest incarnation of its node, which each write
 * compares. Routes of a dead node are deleted together with its registration, because both are bound to
 * one lease.
 */

import type { CallOptions, Operation, Revision } from '@robustmq/placement';
import { comparisonOf } from './record-change.ts';
import { count, fields, oneOf } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable } from './record-table.ts';
import type { NodeRegistry, Registration } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import { type RegistryStore, transactOnce } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** A node wants what matches a filter. The filter and the node are the names in the key. */
export interface RouteRecord {
  readonly nodeId: number;
  readonly incarnation: number;
  /** Online subscribers of a shared subscription; 1 for an ordinary filter. */
  readonly members: number;
  /** `atMostOnce`: its subscribers read what is QoS 1 and 2 from the journal; only QoS 0 is forwarded. */
  readonly wants: RouteWants;
}

/** See {@link RouteRecord}. */
export type RouteWants = 'everything' | 'atMostOnce';

/** A route as its node writes it. */
export interface Route {
  /** With its `$share/{group}/`, if it is shared. */
  readonly topicFilter: string;
  readonly members: number;
  readonly wants: RouteWants;
}

/** Routes to one node that change in one step; a filter is in one of the two. */
export interface RouteChange {
  readonly put: readonly Route[];
  /** Those that do not exist are left out. */
  readonly remove: readonly string[];
}

/** LIMIT: routesPerChangeMax */
const routesPerChangeMax = 100;

/** The routes of one cluster. */
export class RouteRegistry {
  readonly #table: RecordTable<RouteRecord>;
  readonly #nodes: NodeRegistry;

  constructor(store: RegistryStore, nodes: NodeRegistry) {
    const shape = fields<RouteRecord>({
      nodeId: count,
      incarnation: count,
      members: count,
      wants: oneOf(['everything', 'atMostOnce']),
    });
    this.#table = new RecordTable(store, 'routes', shape);
    this.#nodes = nodes;
  }

  /**
   * Puts and removes routes to the node in one step.
   *
   * @returns the revision that holds them
   * @throws REGISTRY_FENCED  the node has a successor
   * @throws PLACEMENT_LEASE_NOT_FOUND  the registration ended
   * @throws REGISTRY_INVALID  more than 100 routes
   */
  async change(
    registration: Registration,
    change: RouteChange,
    options: CallOptions,
  ): Promise<Revision> {
    const { nodeId, incarnation } = registration.node;
    const operations = [
      ...change.put.map(({ topicFilter, members, wants }) =>
        this.#table.put(
          [topicFilter, String(nodeId)],
          { nodeId, incarnation, members, wants },
          registration.lease,
        ),
      ),
      ...change.remove.map((filter) => this.#table.remove([filter, String(nodeId)])),
    ];
    return this.#write(registration, operations, options);
  }

  /** Adds routes for ordinary filters in one step. Faults as {@link change}. */
  async add(
    registration: Registration,
    topicFilters: readonly string[],
    options: CallOptions,
  ): Promise<void> {
    if (topicFilters.length === 0) return;
    const put = [...new Set(topicFilters)].map((topicFilter) => ({
      topicFilter,
      members: 1,
      wants: 'everything' as const,
    }));
    await this.change(registration, { put, remove: [] }, options);
  }

  /** Those that do not exist are left out. @throws REGISTRY_FENCED */
  async remove(
    registration: Registration,
    topicFilters: readonly string[],
    options: CallOptions,
  ): Promise<void> {
    if (topicFilters.length === 0) return;
    const remove = [...new Set(topicFilters)];
    await this.change(registration, { put: [], remove }, options);
  }

  /** The nodes that want what matches exactly this filter, ascending. */
  async nodesOf(topicFilter: string, options: CallOptions): Promise<readonly number[]> {
    const nodes: number[] = [];
    let after: string | null = null;
    do {
      const request: PageRequest = { after, limit: 500 };
      const page: Page<RouteRecord> = await this.#table.list([topicFilter], request, options);
      for (const { value } of page.items) nodes.push(value.nodeId);
      after = page.next;
    } while (after !== null);
    return nodes.sort((first, second) => first - second);
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<RouteRecord>> {
    return this.#table.list([], page, options);
  }

  /** The names of a change are topic filter and node id. */
  watch(options: RegistryWatchOptions): RegistryWatch<RouteRecord> {
    return watchRegistry(this.#table, options);
  }

  async #write(
    registration: Registration,
    operations: readonly Operation[],
    options: CallOptions,
  ): Promise<Revision> {
    if (operations.length > routesPerChangeMax) {
      const detail = `${operations.length} routes in one step exceed ${routesPerChangeMax}`;
      throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
    }
    const { node } = registration;
    const fence = this.#nodes.fence(node);
    const step = { compare: [comparisonOf(fence)], then: operations };
    const { succeeded, revision } = await transactOnce(this.#table.store, step, options);
    if (succeeded) return revision;
    const current = (await this.#nodes.read(node, options))?.value.incarnation ?? 0;
    const offered = node.incarnation;
    throw new RegistryError({ code: 'REGISTRY_FENCED', key: fence.key, offered, current });
  }
}
