/**
 * Which nodes have subscribers for a topic filter, so that messages are forwarded to those only.
 *
 * Key: `routes/{topic filter}/{nodeId}`, bound to the lease of the node. Value: {@link RouteRecord}.
 * Invariants: a route is written only by the newest incarnation of its node, which each write
 * compares. Routes of a dead node are deleted together with its registration, because both are bound to
 * one lease.
 */

import type { CallOptions, Operation } from '@robustmq/placement';
import { comparisonOf } from './record-change.ts';
import { count, fields } from './record-shape.ts';
import { type Page, type PageRequest, RecordTable } from './record-table.ts';
import type { NodeRegistry, Registration } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import { type RegistryStore, transactOnce } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';

/** A node wants what matches a filter. The filter and the node are the names in the key. */
export interface RouteRecord {
  readonly nodeId: number;
  readonly incarnation: number;
}

/** LIMIT: routesPerChangeMax */
const routesPerChangeMax = 100;

/** The routes of one cluster. */
export class RouteRegistry {
  readonly #table: RecordTable<RouteRecord>;
  readonly #nodes: NodeRegistry;

  constructor(store: RegistryStore, nodes: NodeRegistry) {
    const shape = fields<RouteRecord>({ nodeId: count, incarnation: count });
    this.#table = new RecordTable(store, 'routes', shape);
    this.#nodes = nodes;
  }

  /**
   * Adds routes to the node in one step; those that exist stay.
   *
   * @throws REGISTRY_FENCED  the node has a successor
   * @throws PLACEMENT_LEASE_NOT_FOUND  the registration ended
   */
  async add(
    registration: Registration,
    topicFilters: readonly string[],
    options: CallOptions,
  ): Promise<void> {
    const { nodeId, incarnation } = registration.node;
    const operations = [...new Set(topicFilters)].map((filter) =>
      this.#table.put([filter, String(nodeId)], { nodeId, incarnation }, registration.lease),
    );
    return this.#write(registration, operations, options);
  }

  /** Those that do not exist are left out. @throws REGISTRY_FENCED */
  async remove(
    registration: Registration,
    topicFilters: readonly string[],
    options: CallOptions,
  ): Promise<void> {
    const nodeId = String(registration.node.nodeId);
    const operations = [...new Set(topicFilters)].map((filter) =>
      this.#table.remove([filter, nodeId]),
    );
    return this.#write(registration, operations, options);
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
  ): Promise<void> {
    if (operations.length === 0) return;
    if (operations.length > routesPerChangeMax) {
      const detail = `${operations.length} routes in one step exceed ${routesPerChangeMax}`;
      throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
    }
    const { node } = registration;
    const fence = this.#nodes.fence(node);
    const step = { compare: [comparisonOf(fence)], then: operations };
    const { succeeded } = await transactOnce(this.#table.store, step, options);
    if (succeeded) return;
    const current = (await this.#nodes.read(node, options))?.value.incarnation ?? 0;
    const offered = node.incarnation;
    throw new RegistryError({ code: 'REGISTRY_FENCED', key: fence.key, offered, current });
  }
}
