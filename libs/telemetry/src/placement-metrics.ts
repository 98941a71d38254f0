import {
  createPlainRegistry,
  type PlainMetric,
  plainMetricMaker,
  type PlainMetricsRegistry,
} from './plain-metrics.ts';

/** What one member of the placement center knows at any moment; totals only grow. */
export interface PlacementGaugeSource {
  /** 1 while this member leads, else 0. */
  readonly isLeader: () => number;
  /** 1 while a leader is known, else 0. */
  readonly hasLeader: () => number;
  readonly term: () => number;
  readonly commitIndex: () => number;
  readonly appliedIndex: () => number;
  readonly revision: () => number;
  readonly storeBytes: () => number;
  readonly voters: () => number;
  readonly learners: () => number;
  readonly watches: () => number;
  readonly leases: () => number;

  readonly leaderChanges: () => number;
  readonly proposals: () => number;
  readonly proposalsFailed: () => number;
  readonly readBarriers: () => number;
  readonly leasesExpired: () => number;
  readonly raftFlushes: () => number;
  readonly raftFramesSent: () => number;
  readonly raftFramesReceived: () => number;
  readonly raftFramesRefused: () => number;
}

/** The name of a value of the source. */
export type PlacementGaugeField = keyof PlacementGaugeSource;

/** One metric of the placement center. */
export type PlacementMetric = PlainMetric<PlacementGaugeField>;

const { gauge, total } = plainMetricMaker<PlacementGaugeField>('robust_placement_');

/** Every metric of the placement center, once. */
export const placementMetrics: readonly PlacementMetric[] = [
  gauge('is_leader', ['flag', 'isLeader', '1 while this member leads']),
  gauge('has_leader', ['flag', 'hasLeader', '1 while this member knows a leader']),
  gauge('term', ['term', 'term', 'Raft term']),
  gauge('commit_index', ['index', 'commitIndex', 'Raft log: known to be on a majority']),
  gauge('applied_index', ['index', 'appliedIndex', 'Raft log: applied to the store']),
  gauge('revision', ['revision', 'revision', 'Changes of the store so far']),
  gauge('store_bytes', ['bytes', 'storeBytes', 'Keys, values, leases and history']),
  gauge('voters', ['members', 'voters', 'Members with a vote']),
  gauge('learners', ['members', 'learners', 'Members without a vote']),
  gauge('watches', ['watches', 'watches', 'Watches open on this member']),
  gauge('leases', ['leases', 'leases', 'Living leases, as the leader counts them; 0 elsewhere']),
  total('leader_changes_total', ['changes', 'leaderChanges', 'Changes of the leader seen']),
  total('proposals_total', ['commands', 'proposals', 'Commands proposed on this member']),
  total('proposals_failed_total', [
    'commands',
    'proposalsFailed',
    'Commands refused, or whose outcome is unknown',
  ]),
  total('read_barriers_total', [
    'barriers',
    'readBarriers',
    'Proofs of leadership; one serves many reads',
  ]),
  total('leases_expired_total', [
    'leases',
    'leasesExpired',
    'Leases ended for want of a sign of life',
  ]),
  total('raft_flushes_total', ['flushes', 'raftFlushes', 'Flushes of the Raft log to the disk']),
  total('raft_frames_sent_total', ['frames', 'raftFramesSent', 'Frames sent to other members']),
  total('raft_frames_received_total', [
    'frames',
    'raftFramesReceived',
    'Frames received from other members',
  ]),
  total('raft_frames_refused_total', [
    'frames',
    'raftFramesRefused',
    'Frames of another cluster, or of a member that lost its disk',
  ]),
];

/** Renders every metric of one member in the Prometheus text format 0.0.4. */
export type PlacementMetricsRegistry = PlainMetricsRegistry;

/** @param processMetrics  as for the broker: at most one registry of a process includes them */
export function createPlacementMetricsRegistry(
  source: PlacementGaugeSource,
  processMetrics: 'included' | 'omitted',
): PlacementMetricsRegistry {
  return createPlainRegistry(placementMetrics, source, processMetrics);
}
