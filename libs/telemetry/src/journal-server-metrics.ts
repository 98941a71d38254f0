import {
  createPlainRegistry,
  type PlainMetric,
  plainMetricMaker,
  type PlainMetricsRegistry,
} from './plain-metrics.ts';

/** What one journal server knows at any moment; totals only grow. */
export interface JournalServerGaugeSource {
  /** 1 while this server is registered in the placement center, else 0. */
  readonly isRegistered: () => number;
  readonly shardsOpen: () => number;
  readonly shardsLed: () => number;
  readonly shardsFailed: () => number;
  readonly shardsWithoutLeader: () => number;
  readonly storedBytes: () => number;
  readonly streams: () => number;
  readonly tails: () => number;

  readonly appends: () => number;
  readonly appendBytes: () => number;
  readonly appendsRefused: () => number;
  readonly calls: () => number;
  readonly recordsSent: () => number;
  readonly changesSent: () => number;
  readonly damageFound: () => number;
  readonly damageMended: () => number;
  readonly raftFlushes: () => number;
  readonly raftBytesWritten: () => number;
  readonly raftFramesSent: () => number;
  readonly raftFramesReceived: () => number;
  readonly raftFramesRefused: () => number;
}

const { gauge, total } = plainMetricMaker<keyof JournalServerGaugeSource>('robust_journal_server_');

/** Every metric of a journal server, once. */
export const journalServerMetrics: readonly PlainMetric<keyof JournalServerGaugeSource>[] = [
  gauge('is_registered', [
    'flag',
    'isRegistered',
    '1 while the placement center lists this server',
  ]),
  gauge('shards_open', ['shards', 'shardsOpen', 'Replicas open on this server']),
  gauge('shards_led', ['shards', 'shardsLed', 'Replicas here that lead']),
  gauge('shards_failed', [
    'shards',
    'shardsFailed',
    'Replicas that could not be opened or deleted',
  ]),
  gauge('shards_without_leader', [
    'shards',
    'shardsWithoutLeader',
    'Replicas here that know no leader: they take nothing',
  ]),
  gauge('stored_bytes', ['bytes', 'storedBytes', 'Held by the replicas on this server']),
  gauge('streams', ['streams', 'streams', 'Clients connected']),
  gauge('tails', ['tails', 'tails', 'Tails that clients have open']),
  total('appends_total', ['batches', 'appends', 'Appends that came, refused ones included']),
  total('append_bytes_total', ['bytes', 'appendBytes', 'Batches that were proposed here']),
  total('appends_refused_total', [
    'batches',
    'appendsRefused',
    'Appends answered with a fault: another leader, a full disk, a fenced producer',
  ]),
  total('calls_total', ['requests', 'calls', 'Requests that are no appends']),
  total('records_sent_total', ['records', 'recordsSent', 'Records sent to readers and tails']),
  total('changes_sent_total', ['changes', 'changesSent', 'Changes of keys sent to tails']),
  total('damage_found_total', [
    'places',
    'damageFound',
    'Damaged places found in files of shards; one that stays counts each time',
  ]),
  total('damage_mended_total', ['places', 'damageMended', 'Of these, mended from another replica']),
  total('raft_flushes_total', ['flushes', 'raftFlushes', 'Rounds of flushes of the Raft logs']),
  total('raft_written_bytes_total', ['bytes', 'raftBytesWritten', 'Written to the Raft logs']),
  total('raft_frames_sent_total', ['frames', 'raftFramesSent', 'Frames sent to other servers']),
  total('raft_frames_received_total', [
    'frames',
    'raftFramesReceived',
    'Frames received from other servers',
  ]),
  total('raft_frames_refused_total', [
    'frames',
    'raftFramesRefused',
    'Frames of another cluster, or of a server that lost its disk',
  ]),
];

/** Renders every metric of one journal server, those of the process included. */
export function createJournalServerMetricsRegistry(
  source: JournalServerGaugeSource,
): PlainMetricsRegistry {
  return createPlainRegistry(journalServerMetrics, source, 'included');
}
