import type { PlacementNode } from '@robustmq/placement-node';
import type { RaftHost } from '@robustmq/raft-driver';
import type { PlacementGaugeSource } from '@robustmq/telemetry';

/** What metrics read. Before the member is open everything is 0. */
export function gaugesOf(
  node: () => PlacementNode | null,
  host: () => RaftHost | null,
): PlacementGaugeSource {
  const status = (): PlacementNode['status'] | null => node()?.status ?? null;
  const raft = (): PlacementNode['status']['raft'] | null => status()?.raft ?? null;
  return {
    isLeader: () => (raft()?.role === 'leader' ? 1 : 0),
    hasLeader: () => (raft()?.leader == null ? 0 : 1),
    term: () => raft()?.term ?? 0,
    commitIndex: () => raft()?.commitIndex ?? 0,
    appliedIndex: () => status()?.appliedIndex ?? 0,
    revision: () => status()?.revision ?? 0,
    storeBytes: () => status()?.storeBytes ?? 0,
    voters: () => raft()?.configuration.voters.length ?? 0,
    learners: () => raft()?.configuration.learners.length ?? 0,
    watches: () => status()?.watches ?? 0,
    leases: () => status()?.leases ?? 0,
    leaderChanges: () => status()?.counters.leaderChanges ?? 0,
    proposals: () => status()?.counters.proposals ?? 0,
    proposalsFailed: () => status()?.counters.proposalsFailed ?? 0,
    readBarriers: () => status()?.counters.readBarriers ?? 0,
    leasesExpired: () => status()?.counters.leasesExpired ?? 0,
    raftFlushes: () => host()?.counters.flushes ?? 0,
    raftFramesSent: () => host()?.counters.framesSent ?? 0,
    raftFramesReceived: () => host()?.counters.framesReceived ?? 0,
    raftFramesRefused: () => host()?.counters.framesRefused ?? 0,
  };
}
