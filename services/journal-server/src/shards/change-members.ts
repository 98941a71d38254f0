/** Brings a group to the members that it should have, step by step, as `nextMembershipStep` decides. */
import type { Clock } from '@robustmq/environment';
import { unreachable } from '@robustmq/errors';
import type { MembershipChange, NodeId } from '@robustmq/raft';
import { RaftError } from '@robustmq/raft-driver';
import { type GroupView, type MembershipStep, nextMembershipStep } from '@robustmq/shard-placement';
import { unavailable } from './hosted-shards.ts';
import type { OpenedReplica } from './replica-opener.ts';
import { ShardSetError } from './shard-set.ts';

/** A member that lags by more entries is not caught up. */
const LAG_MAX = 1_000;

/** Whose group it is, and how long it may take. */
export interface ChangeMembersOptions {
  readonly name: string;
  readonly self: number;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** @throws ShardSetError as `ShardSet.changeMembers` */
export async function changeGroupMembers(
  group: OpenedReplica,
  wanted: readonly number[],
  options: ChangeMembersOptions,
): Promise<'done' | 'waiting'> {
  const { name, self, clock } = options;
  const untilMs = clock.monotonicMs() + options.deadlineMs;
  for (;;) {
    const leftMs = untilMs - clock.monotonicMs();
    const step = nextMembershipStep(viewOf(group, self), wanted);
    if (step.kind === 'done' || step.kind === 'wait')
      return step.kind === 'done' ? 'done' : 'waiting';
    if (group.raft().role !== 'leader') {
      throw new ShardSetError('SHARD_NOT_LEADER', `shard ${name} is not led on this node any more`);
    }
    if (leftMs <= 0) {
      throw unavailable(name, `its members are not ${wanted.join(', ')} yet`, new Error(step.kind));
    }
    const outcome = await carryOut(group, step, { name, deadlineMs: leftMs });
    if (outcome === 'waiting') return outcome;
  }
}

async function carryOut(
  group: OpenedReplica,
  step: Exclude<MembershipStep, { readonly kind: 'done' | 'wait' }>,
  { name, deadlineMs }: { readonly name: string; readonly deadlineMs: number },
): Promise<'done' | 'waiting'> {
  try {
    if (step.kind === 'handOver') {
      await group.transferLeadership(step.to as NodeId, deadlineMs);
      // The rest is for the one that leads now.
      return 'waiting';
    }
    await group.changeMembership(changesOf(step), deadlineMs);
    return 'done';
  } catch (error) {
    if (isTooEarly(error)) return 'waiting';
    throw unavailable(name, `its members were not changed (${step.kind})`, error);
  }
}

/** A change before it, or the first entry of a new leader, is not committed; or somebody lags again. */
function isTooEarly(error: unknown): boolean {
  if (!(error instanceof RaftError) || error.fault.code !== 'RAFT_REFUSED') return false;
  return error.fault.reason === 'membershipPending' || error.fault.reason === 'learnerBehind';
}

function changesOf(
  step: Exclude<MembershipStep, { readonly kind: 'done' | 'wait' | 'handOver' }>,
): readonly MembershipChange[] {
  switch (step.kind) {
    case 'addLearners':
      return step.nodes.map((node) => ({ kind: 'addLearner', node: node as NodeId }));
    case 'removeLearners':
      return step.nodes.map((node) => ({ kind: 'remove', node: node as NodeId }));
    case 'changeVoters':
      return [
        ...step.promote.map((node) => ({ kind: 'promote', node: node as NodeId }) as const),
        ...step.remove.map((node) => ({ kind: 'remove', node: node as NodeId }) as const),
      ];
    default:
      return unreachable(step);
  }
}

function viewOf(group: OpenedReplica, self: number): GroupView {
  const { configuration, followers, lastIndex } = group.raft();
  const close = followers.filter(
    ({ mode, matchIndex }) => mode === 'replicate' && lastIndex - matchIndex <= LAG_MAX,
  );
  return {
    self,
    voters: [...configuration.voters],
    learners: [...configuration.learners],
    caughtUp: new Set([self, ...close.map(({ node }) => node)]),
  };
}
