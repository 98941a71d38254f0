/** What operators do with the members of the group. All but the snapshot are for the leader. */
import {
  type CommandResult,
  type Operation,
  PlacementError,
  type PlacementFault,
} from '@robustmq/placement';
import { type Configuration, membersOf, type NodeId } from '@robustmq/raft';
import type { MembershipChange } from '@robustmq/raft';
import type { RaftGroup } from '@robustmq/raft-driver';
import { placementErrorFrom } from './faults.ts';
import type { InProcessPlacement } from './in-process-placement.ts';
import { deleteAddress, type MemberAddresses, putAddress, putRemoved } from './member-addresses.ts';

/** One member as the node asked knows it. */
export interface MemberStatus {
  readonly node: NodeId;
  /** `host:port`; null when nobody told. */
  readonly address: string | null;
  readonly voter: boolean;
  readonly leader: boolean;
  /** As the leader knows it; null when another member answers. */
  readonly matchIndex: number | null;
}

const TRANSFER_ATTEMPT_MS = 1500;

export interface MemberOperationsParts {
  readonly group: RaftGroup<CommandResult>;
  readonly addresses: MemberAddresses;
  readonly placement: InProcessPlacement;
}

export class MemberOperations {
  readonly #parts: MemberOperationsParts;

  constructor(parts: MemberOperationsParts) {
    this.#parts = parts;
  }

  /** Ascending by number. */
  list(): readonly MemberStatus[] {
    const { group, addresses } = this.#parts;
    const { configuration, followers, leader, lastIndex, id, role } = group.status;
    const matches = new Map(followers.map(({ node, matchIndex }) => [node, Number(matchIndex)]));
    if (role === 'leader') matches.set(id, lastIndex);
    return membersOf(configuration).map((node) => ({
      node,
      address: addresses.addressOf(node),
      voter: configuration.voters.includes(node) || configuration.outgoing.includes(node),
      leader: node === leader,
      matchIndex: matches.get(node) ?? null,
    }));
  }

  /**
   * Adds a member without a vote, or tells where one is reached. The new member starts with
   * `join = true`.
   *
   * @throws PlacementError PLACEMENT_INVALID for the number of a voter or of a removed member
   */
  async addLearner(node: NodeId, address: string, deadlineMs: number): Promise<void> {
    const { group, addresses } = this.#parts;
    this.#assertLeads();
    if (addresses.isRemoved(node)) {
      throw invalid(
        `number ${String(node)} belonged to a member that was removed: give the new one another number`,
      );
    }
    const { configuration } = group.status;
    if (configuration.voters.includes(node)) {
      throw invalid(`member ${String(node)} has a vote already`);
    }
    // In this order an address without a member always is that of a removed one.
    if (!configuration.learners.includes(node)) {
      await this.#change([{ kind: 'addLearner', node }], deadlineMs);
    }
    await this.#write([putAddress(node, address)], deadlineMs);
  }

  /**
   * Gives learners a vote, as one change. Idempotent.
   *
   * @throws PlacementError PLACEMENT_OVERLOADED while one lags
   */
  async promote(nodes: readonly NodeId[], deadlineMs: number): Promise<void> {
    this.#assertLeads();
    this.#assertMembers(nodes);
    const { voters } = this.#parts.group.status.configuration;
    const learners = nodes.filter((node) => !voters.includes(node));
    if (learners.length === 0) return;
    await this.#change(
      learners.map((node) => ({ kind: 'promote', node })),
      deadlineMs,
    );
  }

  /** Takes members out, as one change; their numbers are used up. Idempotent. */
  async remove(nodes: readonly NodeId[], deadlineMs: number): Promise<void> {
    const { group, addresses } = this.#parts;
    this.#assertLeads();
    const members = membersOf(group.status.configuration);
    const present = nodes.filter((node) => members.includes(node));
    this.#assertMembers(nodes.filter((node) => !addresses.isRemoved(node)));
    if (present.length > 0) {
      await this.#change(
        present.map((node) => ({ kind: 'remove', node })),
        deadlineMs,
      );
    }
    // A leader that removed itself can't write any more; its successor does, see MemberAddresses.
    if (group.status.role !== 'leader') return;
    const operations = nodes.flatMap((node) => [deleteAddress(node), putRemoved(node)]);
    await this.#write(operations, deadlineMs);
  }

  async transferLeadership(to: NodeId, deadlineMs: number): Promise<void> {
    const { group, addresses } = this.#parts;
    this.#assertLeads();
    const { configuration, id } = group.status;
    if (to === id) return;
    if (!configuration.voters.includes(to)) {
      throw invalid(`${String(to)} is no member with a vote`);
    }
    // The member may lose its first election, to this one: then it is told to stand again.
    for (let leftMs = deadlineMs; ; leftMs -= TRANSFER_ATTEMPT_MS) {
      try {
        await group.transferLeadership(to, Math.min(leftMs, TRANSFER_ATTEMPT_MS));
        return;
      } catch (error) {
        const { leader } = group.status;
        if (leader === to) return;
        if (leader !== id || leftMs <= TRANSFER_ATTEMPT_MS) {
          throw placementErrorFrom(error, (node) => addresses.addressOf(node));
        }
      }
    }
  }

  /** Writes down where members are reached, as far as this member knows better than the store. */
  async correctAddresses(deadlineMs: number): Promise<void> {
    const { group, addresses } = this.#parts;
    const operations = addresses.corrections(membersOf(group.status.configuration));
    if (operations.length > 0) await this.#write(operations, deadlineMs);
  }

  async #write(operations: readonly Operation[], deadlineMs: number): Promise<void> {
    await this.#parts.placement.transact(
      { compare: [], then: operations, otherwise: [], requestId: null },
      { deadlineMs, signal: null },
    );
  }

  async #change(changes: readonly MembershipChange[], deadlineMs: number): Promise<void> {
    const { group, addresses } = this.#parts;
    try {
      await group.changeMembership(changes, deadlineMs);
    } catch (error) {
      throw placementErrorFrom(error, (node) => addresses.addressOf(node));
    }
  }

  #assertLeads(): void {
    const { group, addresses } = this.#parts;
    const { role, leader } = group.status;
    if (role === 'leader') return;
    const at = leader === null ? null : addresses.addressOf(leader);
    throw new PlacementError({ code: 'PLACEMENT_NOT_LEADER', leader: at });
  }

  #assertMembers(nodes: readonly NodeId[]): void {
    const { configuration } = this.#parts.group.status;
    for (const node of nodes) {
      if (!isMember(configuration, node)) throw invalid(`${String(node)} is no member`);
    }
  }
}

function isMember(configuration: Configuration, node: NodeId): boolean {
  return membersOf(configuration).includes(node);
}

function invalid(detail: string): PlacementError {
  const fault: PlacementFault = { code: 'PLACEMENT_INVALID', detail };
  return new PlacementError(fault);
}
