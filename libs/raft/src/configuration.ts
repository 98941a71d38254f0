/**
 * Who belongs to the group, and whose agreement counts.
 *
 *      stable   voters {1,2,3}   outgoing {}         one majority decides
 *      joint    voters {1,2,4}   outgoing {1,2,3}    a majority of each half decides
 *
 * Learners receive the log and never vote (Raft thesis §4.2.1).
 */
import type { NodeId } from './identifiers.ts';

export interface Configuration {
  /** Voters; of a joint configuration the new half. Ascending, without duplicates. */
  readonly voters: readonly NodeId[];
  /** The old half of a joint configuration (Raft thesis §4.3), else empty. */
  readonly outgoing: readonly NodeId[];
  /** Members without a vote. */
  readonly learners: readonly NodeId[];
  /** Voters of the old half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
}

/** The configuration of a node that does not know its group yet: it waits to be told. */
export const NO_CONFIGURATION: Configuration = Object.freeze({
  voters: [],
  outgoing: [],
  learners: [],
  learnersNext: [],
});

/** A stable configuration of `voters` alone, as used to bootstrap a group. */
export function configurationOf(voters: readonly NodeId[]): Configuration {
  return { voters: sorted(voters), outgoing: [], learners: [], learnersNext: [] };
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Whether the node votes in either half. */
export function isVoter(configuration: Configuration, node: NodeId): boolean {
  return configuration.voters.includes(node) || configuration.outgoing.includes(node);
}

/** Every node that receives the log, ascending. */
export function membersOf(configuration: Configuration): readonly NodeId[] {
  const { voters, outgoing, learners, learnersNext } = configuration;
  return sorted([...new Set([...voters, ...outgoing, ...learners, ...learnersNext])]);
}

/** One wish about one node; several are carried out as one change. */
export type MembershipChange =
  | { readonly kind: 'addLearner'; readonly node: NodeId }
  | { readonly kind: 'promote'; readonly node: NodeId }
  | { readonly kind: 'demote'; readonly node: NodeId }
  | { readonly kind: 'remove'; readonly node: NodeId };

/**
 * The configuration to append for `changes`: joint when the voters change, else final at once,
 * because learners are in no majority (Raft thesis §4.2.1, §4.3).
 *
 * @param current  a stable configuration
 * @returns null when nothing would change or no voter would be left
 */
export function configurationAfter(
  current: Configuration,
  changes: readonly MembershipChange[],
): Configuration | null {
  const voters = new Set(current.voters);
  const learners = new Set(current.learners);
  for (const change of changes) applyChange(change, voters, learners);
  if (voters.size === 0) return null;
  const votersChange = !equalSets(voters, current.voters);
  if (!votersChange && equalSets(learners, current.learners)) return null;
  if (!votersChange) return { ...current, learners: sorted([...learners]) };
  const outgoing = current.voters;
  return {
    voters: sorted([...voters]),
    outgoing,
    learners: sorted([...learners].filter((node) => !outgoing.includes(node))),
    learnersNext: sorted([...learners].filter((node) => outgoing.includes(node))),
  };
}

/** The configuration that ends a joint one: the new half alone (Raft thesis §4.3). */
export function configurationAfterJoint(joint: Configuration): Configuration {
  return {
    voters: joint.voters,
    outgoing: [],
    learners: sorted([...joint.learners, ...joint.learnersNext]),
    learnersNext: [],
  };
}

function applyChange(change: MembershipChange, voters: Set<NodeId>, learners: Set<NodeId>): void {
  const { node } = change;
  switch (change.kind) {
    case 'addLearner':
      if (!voters.has(node)) learners.add(node);
      return;
    case 'promote':
      if (learners.delete(node)) voters.add(node);
      return;
    case 'demote':
      if (voters.delete(node)) learners.add(node);
      return;
    case 'remove':
      voters.delete(node);
      learners.delete(node);
  }
}

function equalSets(left: ReadonlySet<NodeId>, right: readonly NodeId[]): boolean {
  return left.size === right.length && right.every((node) => left.has(node));
}

function sorted(nodes: readonly NodeId[]): readonly NodeId[] {
  return nodes.toSorted((left, right) => left - right);
}
