/** Shards and what belongs to them, between the registries and the wire. */

import {
  KEEP_UNTIL_RELEASED,
  type SegmentRecord,
  type ShardKind,
  type ShardRecord,
  type ShardRetention,
  type ShardState,
  type Stored,
} from '@robustmq/placement-registry';
import type { engine } from '@robustmq/rpc';

/** The record of a shard, and what its leader told; null: nothing yet. */
export interface DescribedShard {
  readonly stored: Stored<ShardRecord>;
  readonly state: ShardState | null;
}

/** @param segments  of the shard, or none when they were not asked for */
export function wireShard(
  clusterName: string,
  { stored, state }: DescribedShard,
  segments: readonly engine.Segment[],
): engine.Shard {
  const { value } = stored;
  return {
    clusterName,
    namespace: value.namespace,
    shardName: value.shard,
    shardId: stored.createRevision,
    replica: value.replicasWanted,
    segments,
    createTime: value.createdAtMs,
    kind: value.kind === 'keyed' ? 'Keyed' : 'Messages',
    groupId: value.groupId,
    replicas: value.replicas,
    preferredLeader: value.preferredLeader ?? 0,
    epoch: value.epoch,
    retention: wireRetention(value.retention),
    // What is told of an earlier life of the shard says nothing about this one.
    state: state?.groupId === value.groupId ? wireState(state) : null,
  };
}

export function wireSegment(
  segment: SegmentRecord,
  { stored, state }: DescribedShard,
): engine.Segment {
  const { replicas, preferredLeader } = stored.value;
  const leader = state?.leader ?? preferredLeader ?? 0;
  return { segmentSeq: segment.segment, replicas, leader };
}

export function kindOf(kind: engine.ShardKind): ShardKind {
  return kind === 'Keyed' ? 'keyed' : 'messages';
}

/** @param retention  absent on the wire: everything is kept until it is released */
export function retentionOf(retention: engine.Retention | null): ShardRetention {
  if (retention === null) return KEEP_UNTIL_RELEASED;
  return {
    ageMsMax: boundOf(retention.ageMsMax),
    bytesMax: boundOf(retention.bytesMax),
    whenFull: retention.whenFull === 'DropOldest' ? 'drop-oldest' : 'refuse',
  };
}

function wireRetention(retention: ShardRetention): engine.Retention {
  return {
    ageMsMax: retention.ageMsMax ?? 0,
    bytesMax: retention.bytesMax ?? 0,
    whenFull: retention.whenFull === 'drop-oldest' ? 'DropOldest' : 'Refuse',
  };
}

function wireState(state: ShardState): engine.ShardState {
  const { term, leader, voters, learners, committed, oldest, bytes } = state;
  return { term, leader, voters, learners, committed, oldest, bytes, toldTime: state.toldAtMs };
}

function boundOf(bound: number): number | null {
  return bound === 0 ? null : bound;
}
