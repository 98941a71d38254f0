/**
 * How a leader brings its group to the members that it should have, a step at a time.
 *
 *     add as learner ──▶ caught up ──▶ one joint change: promote the new, remove the old ──▶ done
 *
 * Every step is decided from the group as it stands, so whoever leads next goes on where this one ended.
 * No step is taken after which a majority of the voters would not have what is committed.
 */

/** The group as its leader sees it. */
export interface GroupView {
  readonly self: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** Members whose log is within the allowed lag of the leader's, itself included. */
  readonly caughtUp: ReadonlySet<number>;
}

/** One change of membership; several nodes in one change go through one joint configuration. */
export type MembershipStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'addLearners'; readonly nodes: readonly number[] }
  | { readonly kind: 'removeLearners'; readonly nodes: readonly number[] }
  /** Someone is not caught up yet: look again later. */
  | { readonly kind: 'wait'; readonly for: readonly number[] }
  | {
      readonly kind: 'changeVoters';
      readonly promote: readonly number[];
      readonly remove: readonly number[];
    }
  /** The leader is to go: another one that stays carries the rest out. */
  | { readonly kind: 'handOver'; readonly to: number };

/** @param wanted  the voters that the group should have; not empty */
export function nextMembershipStep(group: GroupView, wanted: readonly number[]): MembershipStep {
  const { voters, learners, caughtUp, self } = group;
  const surplus = learners.filter((node) => !wanted.includes(node));
  if (surplus.length > 0) return { kind: 'removeLearners', nodes: surplus };
  const missing = wanted.filter((node) => !voters.includes(node));
  const strangers = missing.filter((node) => !learners.includes(node));
  if (strangers.length > 0) return { kind: 'addLearners', nodes: strangers };
  const behind = missing.filter((node) => !caughtUp.has(node));
  if (behind.length > 0) return { kind: 'wait', for: behind };
  const remove = voters.filter((node) => !wanted.includes(node));
  if (missing.length === 0 && remove.length === 0) return { kind: 'done' };
  const ready = wanted.filter((node) => caughtUp.has(node));
  if (ready.length * 2 <= wanted.length) {
    return { kind: 'wait', for: wanted.filter((node) => !caughtUp.has(node)) };
  }
  const heir = ready.find((node) => node !== self && voters.includes(node));
  if (remove.includes(self) && heir !== undefined) return { kind: 'handOver', to: heir };
  return { kind: 'changeVoters', promote: missing, remove };
}
