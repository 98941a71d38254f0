/** The gRPC server of a member, with every service it has. */
import { systemClock, systemRandom } from '@robustmq/environment';
import { type Lease, type LeaseId, type Placement, PlacementError } from '@robustmq/placement';
import { placementHandlers, type PlacementHandlersOptions } from '@robustmq/placement-client';
import type { PlacementNode } from '@robustmq/placement-node';
import type { RaftHost } from '@robustmq/raft-driver';
import {
  type Credentials,
  defaultServerLimits,
  engineService,
  type GrpcPeerTransport,
  kvService,
  leaseService,
  mqttService,
  placementCenterService,
  watchService,
  type MountedService,
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
import { lateRaftTransport } from './peer-transport.ts';

/** The services that need a leader, by their full names. */
export const STORE_SERVICES: readonly string[] = [
  kvService,
  watchService,
  leaseService,
  placementCenterService,
  mqttService,
  engineService,
].map(({ name }) => name);

const IDEMPOTENCE_KEEP_MS = 24 * 3600 * 1000;
/** LIMIT: leases-per-page */
const LEASES_PER_PAGE_MAX = 10_000;

/** What the servers look at; much of it comes later than they. */
export interface ServerParts {
  readonly settings: PlacementCenterSettings;
  readonly credentials: Credentials;
  /** What is served; null until there is one. */
  readonly placement: () => Placement | null;
  /** Whether this process is a member; with etcd behind it, it has none. */
  readonly membership: 'member' | 'none';
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
  const { clusterName } = settings;
  const placement: Placement = latePlacement(parts.placement);
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
        ...(parts.membership === 'member' ? memberCalls(parts) : NO_MEMBER_CALLS),
      }),
      ...(parts.membership === 'member' ? memberServices(parts) : []),
    ],
    limits: defaultServerLimits,
    observer: {
      ...silentObserver,
      handlerFailed: mistake,
    },
  });
}

type MemberCalls = Pick<PlacementHandlersOptions, 'listLeases' | 'clusterStatus'>;

const NO_MEMBER_CALLS: MemberCalls = { listLeases: null, clusterStatus: null };

function memberCalls(parts: ServerParts): MemberCalls {
  return {
    listLeases: async ({ after, limit }) => leasesOf(opened(parts), after, limit),
    clusterStatus: async () => clusterStatus(parts.settings, opened(parts)),
  };
}

function memberServices(parts: ServerParts): readonly MountedService[] {
  const { clusterName, nodeId, version } = parts.settings;
  const { identity, node, uptimeSeconds } = parts;
  const memberId = (): string => parts.host()?.memberId ?? '';
  const facts = { version, clusterName, nodeId, memberId, identity, node, uptimeSeconds };
  return [mountClusterService(facts), lateRaftTransport(parts.transport)];
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
