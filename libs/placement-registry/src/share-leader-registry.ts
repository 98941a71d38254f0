/**
 * Which broker deals out the messages of a shared subscription (MQTT-5.0 §4.8.2).
 *
 * | key | value | lives |
 * |---|---|---|
 * | `share-members/{group}/{nodeId}` | the incarnation: this broker has members of the group | with the lease of the node |
 * | `share-leaders/{group}` | {@link ShareLeader} | until the group is deleted |
 *
 * Invariants: a leader stays as long as its incarnation is a member, so messages do not change hands
 * without need. Else the next one is the member that {@link preferredNodes} names, with a higher
 * epoch: everybody who asks gets the same answer, and the leader before is fenced by its epoch.
 */

import type { CallOptions } from '@robustmq/placement';
import { nextEpoch } from './epoch.ts';
import { changeRecord, comparisonOf, type Decision } from './record-change.ts';
import { count, fields, text } from './record-shape.ts';
import { type Page, type PageRequest, type Reading, RecordTable } from './record-table.ts';
import type { NodeRegistry, Registration } from './node-registry.ts';
import { RegistryError } from './registry-error.ts';
import { type RegistryStore, transactOnce } from './registry-store.ts';
import { type RegistryWatch, type RegistryWatchOptions, watchRegistry } from './registry-watch.ts';
import { preferredNodes } from './rendezvous.ts';

/** One life of one broker. */
export interface ShareMember {
  readonly nodeId: number;
  readonly incarnation: number;
}

/** The broker that deals out the messages of a group. */
export interface ShareLeader extends ShareMember {
  readonly group: string;
  /** Higher with each leader of the group. */
  readonly epoch: number;
}

const MEMBER = fields<ShareMember>({ nodeId: count, incarnation: count });
const LEADER = fields<ShareLeader>({
  group: text,
  nodeId: count,
  incarnation: count,
  epoch: count,
});

/** The groups of one cluster. */
export class ShareLeaderRegistry {
  readonly #members: RecordTable<ShareMember>;
  readonly #leaders: RecordTable<ShareLeader>;
  readonly #nodes: NodeRegistry;

  constructor(store: RegistryStore, nodes: NodeRegistry) {
    this.#members = new RecordTable(store, 'share-members', MEMBER);
    this.#leaders = new RecordTable(store, 'share-leaders', LEADER);
    this.#nodes = nodes;
  }

  /** This broker has members of the group now. @throws REGISTRY_FENCED */
  async join(registration: Registration, group: string, options: CallOptions): Promise<void> {
    const { nodeId, incarnation } = registration.node;
    const names = [group, String(nodeId)];
    const put = this.#members.put(names, { nodeId, incarnation }, registration.lease);
    await this.#write(registration, put, options);
  }

  /** It has none any more. @throws REGISTRY_FENCED */
  async leave(registration: Registration, group: string, options: CallOptions): Promise<void> {
    const remove = this.#members.remove([group, String(registration.node.nodeId)]);
    await this.#write(registration, remove, options);
  }

  /**
   * The leader of a group; one is named if need be, among the members, else among all brokers.
   *
   * @throws REGISTRY_NODES_MISSING  no broker is alive
   */
  leaderOf(group: string, options: CallOptions): Promise<ShareLeader> {
    return changeRecord(
      { table: this.#leaders, names: [group] },
      async (reading): Promise<Decision<ShareLeader>> => {
        const members = await this.#membersOf(group, options);
        const held = members.find((each) => isSameLife(each, reading.stored?.value));
        if (held !== undefined && reading.stored !== null) {
          return { kind: 'leave', answer: reading.stored.value };
        }
        return this.#naming(group, members, reading);
      },
      options,
    );
  }

  list(page: PageRequest, options: CallOptions): Promise<Page<ShareLeader>> {
    return this.#leaders.list([], page, options);
  }

  /** Forgets a group that nobody uses; its next leader gets a higher epoch nevertheless. */
  async forget(group: string, options: CallOptions): Promise<void> {
    const step = { compare: [], then: [this.#leaders.remove([group])] };
    await transactOnce(this.#leaders.store, step, options);
  }

  watch(options: RegistryWatchOptions): RegistryWatch<ShareLeader> {
    return watchRegistry(this.#leaders, options);
  }

  #naming(
    group: string,
    members: readonly ShareMember[],
    reading: Reading<ShareLeader>,
  ): Decision<ShareLeader> {
    const ids = members.map((member) => member.nodeId);
    const [chosen] = preferredNodes(group, ids, 1);
    const member = members.find((each) => each.nodeId === chosen);
    if (member === undefined) {
      throw new RegistryError({ code: 'REGISTRY_NODES_MISSING', wanted: 1, alive: 0 });
    }
    const { nodeId, incarnation } = member;
    const answer = { group, nodeId, incarnation, epoch: nextEpoch(reading) };
    const fence = this.#nodes.fence({ clusterType: 'mqtt-broker', nodeId, incarnation });
    return {
      kind: 'write',
      operations: [this.#leaders.put([group], answer, null)],
      fences: [],
      // Whoever registers between reading and writing makes this one over: it is decided anew.
      compare: [comparisonOf(fence)],
      answer,
    };
  }

  async #membersOf(group: string, options: CallOptions): Promise<readonly ShareMember[]> {
    const members = new Map<number, ShareMember>();
    let after: string | null = null;
    do {
      const request: PageRequest = { after, limit: 500 };
      const page: Page<ShareMember> = await this.#members.list([group], request, options);
      for (const { value } of page.items) members.set(value.nodeId, value);
      after = page.next;
    } while (after !== null);
    if (members.size > 0) return [...members.values()];
    return this.#nodes.listAll('mqtt-broker', options);
  }

  async #write(
    registration: Registration,
    operation: ReturnType<RecordTable<ShareMember>['put' | 'remove']>,
    options: CallOptions,
  ): Promise<void> {
    const fence = this.#nodes.fence(registration.node);
    const step = { compare: [comparisonOf(fence)], then: [operation] };
    const { succeeded } = await transactOnce(this.#members.store, step, options);
    if (succeeded) return;
    const stored = await this.#nodes.read(registration.node, options);
    throw new RegistryError({
      code: 'REGISTRY_FENCED',
      key: fence.key,
      offered: fence.number,
      current: stored?.value.incarnation ?? 0,
    });
  }
}

function isSameLife(member: ShareMember, leader: ShareMember | undefined): boolean {
  return member.nodeId === leader?.nodeId && member.incarnation === leader.incarnation;
}
