import type { ShardRecord, ShardState } from '@robustmq/placement-registry';
import type { HostedShardStatus } from '../shards/shard-set.ts';

/** How much a replica holds, as it says itself. */
export interface ShardAmounts {
  /** The offset after the last committed record; of a keyed shard the revision. */
  readonly committed: number;
  readonly oldest: number;
  /** On disk. */
  readonly bytes: number;
}

/** This life of this server, as it registered. */
export interface OwnNode {
  readonly nodeId: number;
  readonly incarnation: number;
}

/** What a leader tells of its shard. */
export function stateOf(
  self: OwnNode,
  record: ShardRecord,
  told: {
    readonly hosted: HostedShardStatus;
    readonly amounts: ShardAmounts;
    readonly nowMs: number;
  },
): ShardState {
  const { hosted, amounts, nowMs } = told;
  return {
    namespace: record.namespace,
    shard: record.shard,
    groupId: record.groupId,
    epoch: record.epoch,
    term: hosted.term,
    leader: self.nodeId,
    incarnation: self.incarnation,
    voters: hosted.voters,
    learners: hosted.learners,
    committed: amounts.committed,
    oldest: amounts.oldest,
    bytes: amounts.bytes,
    toldAtMs: nowMs,
  };
}

/** `members`: others decide by it, it must be told now; `amounts`: it may wait; `none`: it is known. */
export function newsIn(state: ShardState, told: ShardState | null): 'members' | 'amounts' | 'none' {
  if (told === null || membersText(state) !== membersText(told)) return 'members';
  const isSame =
    state.committed === told.committed &&
    state.oldest === told.oldest &&
    state.bytes === told.bytes;
  return isSame ? 'none' : 'amounts';
}

function membersText(state: ShardState): string {
  const { groupId, epoch, term, leader, incarnation, voters, learners } = state;
  return [groupId, epoch, term, leader, incarnation, voters.join(), learners.join()].join(' ');
}
