/**
 * What a journal server does next about one shard: decided from what the registry says and what it has.
 *
 *     named in the record ──▶ open ──▶ leads? ──▶ bring the group to the record's replicas, hand over
 *     not a member any more ──▶ close, delete        deleted ──▶ close, delete        unknown ──▶ close, keep
 *
 * Data is deleted on evidence only: the shard was deleted, or a leader has told, after it saw a record
 * that does not name this server, a group without it, and no later leader has been heard of here.
 * What is merely missing from the registry is kept.
 */

import type { ShardRecord, ShardState } from '@robustmq/placement-registry';
import type { RaftBootstrap } from '@robustmq/raft-driver';
import type { HostedShard, HostedShardStatus } from '../shards/shard-set.ts';

/** Everything that is known about one shard here. */
export interface HostingView {
  readonly self: number;
  /** null: the registry has none of the name. */
  readonly record: ShardRecord | null;
  /** What its leader told last; null: nothing yet. */
  readonly state: ShardState | null;
  /** null: it is not open here. */
  readonly hosted: HostedShardStatus | null;
  /** Whether files of the record's group lie here, of an earlier process, and nothing has opened them yet. */
  readonly hasFiles: boolean;
  /** Whether the life of the shard that is open here was deleted. */
  readonly isDeleted: boolean;
  /** Journal servers that are registered now. */
  readonly alive: ReadonlySet<number>;
}

/** One thing to do. */
export type HostingStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly shard: HostedShard; readonly bootstrap: RaftBootstrap }
  | { readonly kind: 'close'; readonly content: 'keep' | 'delete' }
  | { readonly kind: 'changeMembers'; readonly voters: readonly number[] }
  | { readonly kind: 'handOver'; readonly to: number };

/** Entries that a follower may lag behind what is committed, and lead next all the same. */
const HAND_OVER_LAG_MAX = 1_000;

const NONE: HostingStep = { kind: 'none' };

export function nextHostingStep(view: HostingView): HostingStep {
  const { record, hosted } = view;
  if (hosted === null) {
    // What may have to go is opened, too: only its own term tells whether it may.
    if (record === null || !(view.hasFiles || shouldHost(view, record))) return NONE;
    return { kind: 'open', shard: shardOf(record), bootstrap: bootstrapOf(view, record) };
  }
  if (hosted.phase === 'opening' || hosted.phase === 'closing') return NONE;
  if (record === null || record.groupId !== hosted.groupId) {
    return { kind: 'close', content: view.isDeleted ? 'delete' : 'keep' };
  }
  if (!shouldHost(view, record)) return mayDelete(view, record) ? DELETE : NONE;
  // A replica that failed is closed, and opened again with the next step.
  if (hosted.phase === 'failed') return { kind: 'close', content: 'keep' };
  return hosted.role === 'leader' ? leaderStep(view, record, hosted) : NONE;
}

const DELETE: HostingStep = { kind: 'close', content: 'delete' };

/** The name of a shard on a journal server. */
export function hostedName(name: { readonly namespace: string; readonly shard: string }): string {
  return `${name.namespace}/${name.shard}`;
}

function shardOf(record: ShardRecord): HostedShard {
  return { name: hostedName(record), kind: record.kind, groupId: record.groupId };
}

/** Named in the record, or a member that nobody has taken out yet. */
function shouldHost({ self, state }: HostingView, record: ShardRecord): boolean {
  if (record.replicas.includes(self)) return true;
  const members = membersTold(state, record) ?? record.founders;
  return members.includes(self);
}

/** Told of this life of the shard; null: nothing. */
function membersTold(state: ShardState | null, record: ShardRecord): readonly number[] | null {
  if (state === null || state.groupId !== record.groupId) return null;
  return [...state.voters, ...state.learners];
}

/** Only a group that nobody has led yet may be founded, and only by its founders. */
function bootstrapOf({ self, state }: HostingView, record: ShardRecord): RaftBootstrap {
  const isNew = membersTold(state, record) === null;
  if (!isNew || !record.founders.includes(self)) return { kind: 'join' };
  return { kind: 'found', voters: record.founders.map((founder) => founder as FounderId) };
}

type FounderId = Extract<RaftBootstrap, { readonly kind: 'found' }>['voters'][number];

function mayDelete({ state, hosted }: HostingView, record: ShardRecord): boolean {
  if (state === null || hosted === null) return false;
  return state.epoch >= record.epoch && state.term >= hosted.term;
}

function leaderStep(
  view: HostingView,
  record: ShardRecord,
  hosted: HostedShardStatus,
): HostingStep {
  const { replicas, preferredLeader } = record;
  const isSettled = hosted.learners.length === 0 && isSame(hosted.voters, replicas);
  const stays = replicas.includes(view.self);
  if (!isSettled && stays) return { kind: 'changeMembers', voters: replicas };
  // One that stays carries the change out: a leader that is to go hands over first.
  const wanted = stays ? [preferredLeader ?? view.self] : [preferredLeader, ...replicas];
  const heir = wanted.find((node) => node === view.self || mayLead(node, view, hosted));
  if (heir === view.self) return NONE;
  if (heir !== undefined && heir !== null) return { kind: 'handOver', to: heir };
  return isSettled ? NONE : { kind: 'changeMembers', voters: replicas };
}

function mayLead(
  node: number | null,
  { alive }: HostingView,
  { voters, followers, commitIndex }: HostedShardStatus,
): boolean {
  if (node === null || !alive.has(node) || !voters.includes(node)) return false;
  const follower = followers.find((each) => each.node === node);
  if (follower === undefined || follower.mode !== 'replicate') return false;
  return follower.matchIndex + HAND_OVER_LAG_MAX >= commitIndex;
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((node) => other.includes(node));
}
