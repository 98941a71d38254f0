/** The gRPC server of a member, with every service it has. */
import { systemClock, systemRandom } from '@robustmq/environment';
import { type Lease, type LeaseId, type Placement, PlacementError } from '@robustmq/placement';
import { placementHandlers } from '@robustmq/placement-client';
import type { PlacementNode } from '@robustmq/placement-node';
import type { RaftHost } from '@robustmq/raft-driver';
import {
  defaultServerLimits,
  type GrpcPeerTransport,
  openRpcServer,
  type placementCenter,
  type RpcServer,
  silentObserver,
} from '@robustmq/rpc';
import { type Logger, log, logEvents } from '@robustmq/telemetry';
import type { ClusterIdentity } from '../cluster/cluster-file.ts';
import { latePlacement } from '../cluster/late-placement.ts';
import type { PlacementCenterSettings } from '../settings.ts';
import { mountClusterService } from './cluster-calls.ts';
import type { Credentials } from './credentials.ts';
import { lateRaftTransport } from './peer-transport.ts';

const IDEMPOTENCE_KEEP_MS = 24 * 3600 * 1000;
/** LIMIT: leases-per-page */
const LEASES_PER_PAGE_MAX = 10_000;

/** What the servers look at; much of it comes later than they. */
export interface ServerParts {
  readonly settings: PlacementCenterSettings;
  readonly credentials: Credentials;
  readonly node: () => PlacementNode | null;
  readonly host: () => RaftHost | null;
  readonly transport: () => GrpcPeerTransport | null;
  readonly identity: () => ClusterIdentity | null;
  readonly uptimeSeconds: () => number;
  readonly logger: Logger;
}

/** @throws RpcSetupError when it can't listen */
export function openServer(parts: ServerParts): Promise<RpcServer> {
  const { settings, credentials, logger } = parts;
  const { clusterName, nodeId, version } = settings;
  const placement: Placement = latePlacement(() => parts.node()?.placement ?? null);
  const mistake = (task: string, error: unknown): void => {
    const err = error instanceof Error ? error : new Error(String(error));
    log(logger, logEvents.taskFailed, { task, err });
  };
  return openRpcServer({
    host: settings.grpc.host,
    port: settings.grpc.port,
    tls: credentials.server,
    clusterToken: credentials.token,
    services: [
      ...placementHandlers({
        placement,
        clusterName,
        clock: systemClock,
        random: systemRandom,
        heartbeatTimeoutMs: settings.nodeTtlSeconds * 1000,
        idempotenceKeepMs: IDEMPOTENCE_KEEP_MS,
        hashPassword: null,
        reportMistake: (error) => mistake('a call of a pipeline', error),
        listLeases: async ({ after, limit }) => leasesOf(opened(parts), after, limit),
        clusterStatus: async () => clusterStatus(settings, opened(parts)),
      }),
      mountClusterService({
        version,
        clusterName,
        nodeId,
        memberId: () => parts.host()?.memberId ?? '',
        identity: parts.identity,
        node: parts.node,
        uptimeSeconds: parts.uptimeSeconds,
      }),
      lateRaftTransport(parts.transport),
    ],
    limits: defaultServerLimits,
    observer: {
      ...silentObserver,
      handlerFailed: mistake,
    },
  });
}

async function leasesOf(
  node: PlacementNode,
  after: LeaseId | null,
  limit: number,
): Promise<{ readonly leases: readonly Lease[]; readonly more: boolean }> {
  const wanted = limit === 0 ? LEASES_PER_PAGE_MAX : Math.min(limit, LEASES_PER_PAGE_MAX);
  return node.listLeases(after, wanted);
}

function clusterStatus(
  { clusterName, nodeId }: PlacementCenterSettings,
  node: PlacementNode,
): placementCenter.ClusterStatusReply {
  const { raft, appliedIndex, revision, leaderAddress } = node.status;
  return {
    clusterName,
    nodeId,
    leaderId: raft.leader ?? 0,
    leaderAddr: leaderAddress ?? '',
    term: raft.term,
    appliedIndex,
    revision,
    voters: [...raft.configuration.voters],
    learners: [...raft.configuration.learners],
  };
}

function opened({ node }: ServerParts): PlacementNode {
  const now = node();
  if (now !== null) return now;
  const detail = 'this member has not joined its cluster yet';
  throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
}
