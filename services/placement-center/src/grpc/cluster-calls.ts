/** The members of the placement center over gRPC: translates, decides nothing. */
import { PlacementError } from '@robustmq/placement';
import type { PlacementNode } from '@robustmq/placement-node';
import { isJoint, type NodeId } from '@robustmq/raft';
import {
  type CallContext,
  type cluster,
  clusterService,
  mount,
  type MountedService,
} from '@robustmq/rpc';
import { backupBytes } from '../backup/backup-file.ts';
import type { ClusterIdentity } from '../cluster/cluster-file.ts';

/** What of the process is told besides the node. */
export interface ClusterServiceFacts {
  readonly version: string;
  readonly memberId: () => string;
  readonly identity: () => ClusterIdentity | null;
  readonly clusterName: string;
  readonly nodeId: number;
  /** null while the member has not joined yet. */
  readonly node: () => PlacementNode | null;
  readonly uptimeSeconds: () => number;
}

export function mountClusterService(facts: ClusterServiceFacts): MountedService {
  return mount(clusterService, {
    status: async () => statusOf(facts),
    members: async () => membersOf(opened(facts)),
    addLearner: async ({ nodeId, address }, context) => {
      const node = opened(facts);
      await node.members.addLearner(
        checkedId(nodeId),
        checkedAddress(address),
        deadlineOf(context),
      );
      return membersOf(node);
    },
    promote: async ({ nodeIds }, context) => {
      const node = opened(facts);
      await node.members.promote(nodeIds.map(checkedId), deadlineOf(context));
      return membersOf(node);
    },
    remove: async ({ nodeIds }, context) => {
      const node = opened(facts);
      await node.members.remove(nodeIds.map(checkedId), deadlineOf(context));
      return membersOf(node);
    },
    transferLeader: async ({ nodeId }, context) => {
      const node = opened(facts);
      await node.members.transferLeadership(checkedId(nodeId), deadlineOf(context));
      return { term: node.status.raft.term };
    },
    snapshot: async () => ({ index: await opened(facts).takeSnapshot() }),
    backup: () => backup(facts),
  });
}

async function* backup(facts: ClusterServiceFacts): AsyncIterable<cluster.BackupChunk> {
  const identity = facts.identity();
  const opening = await opened(facts).openBackup();
  const header = {
    clusterName: facts.clusterName,
    clusterId: identity?.clusterId ?? facts.clusterName,
    revision: opening.revision,
    index: opening.index,
    version: facts.version,
  };
  try {
    for await (const content of backupBytes(header, opening.content)) yield { content };
  } finally {
    await opening.close();
  }
}

function statusOf(facts: ClusterServiceFacts): cluster.StatusReply {
  const identity = facts.identity();
  const base = {
    clusterName: facts.clusterName,
    clusterId: identity?.clusterId ?? '',
    memberId: facts.memberId(),
    founders: identity?.founders ?? [],
    nodeId: facts.nodeId,
    version: facts.version,
    uptimeSeconds: facts.uptimeSeconds(),
    logBytes: 0,
  };
  const node = facts.node();
  if (node === null) return { ...base, ...NOTHING_YET };
  const { raft, ...status } = node.status;
  const isLearner = !raft.configuration.voters.includes(raft.id);
  return {
    ...base,
    role: isLearner && raft.role === 'follower' ? 'learner' : raft.role.toLowerCase(),
    leaderId: raft.leader ?? 0,
    leaderAddr: status.leaderAddress ?? '',
    term: raft.term,
    firstIndex: raft.firstIndex,
    lastIndex: raft.lastIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: status.appliedIndex,
    revision: status.revision,
    oldestRevision: status.oldestRevision,
    storeBytes: status.storeBytes,
    leases: status.leases,
    watches: status.watches,
  };
}

const NOTHING_YET = {
  role: 'learner',
  leaderId: 0,
  leaderAddr: '',
  term: 0,
  firstIndex: 0,
  lastIndex: 0,
  commitIndex: 0,
  appliedIndex: 0,
  revision: 0,
  oldestRevision: 0,
  storeBytes: 0,
  leases: 0,
  watches: 0,
};

function membersOf(node: PlacementNode): cluster.MembersReply {
  return {
    members: node.members.list().map((member) => ({
      nodeId: member.node,
      address: member.address ?? '',
      voter: member.voter,
      leader: member.leader,
      matchIndex: member.matchIndex ?? 0,
    })),
    joint: isJoint(node.status.raft.configuration),
  };
}

function opened(facts: ClusterServiceFacts): PlacementNode {
  const node = facts.node();
  if (node !== null) return node;
  const detail = 'this member has not joined its cluster yet';
  throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
}

const DEADLINE_MS_DEFAULT = 10_000;

function deadlineOf({ deadlineMs }: CallContext): number {
  return Number.isFinite(deadlineMs) ? deadlineMs : DEADLINE_MS_DEFAULT;
}

function checkedId(nodeId: number): NodeId {
  if (Number.isInteger(nodeId) && nodeId >= 1 && nodeId <= 65535) return nodeId as NodeId;
  throw invalid(`${String(nodeId)} is no member number: expected 1 to 65535`);
}

function checkedAddress(address: string): string {
  if (/^(\[[0-9a-f:.]+\]|[^:\s]+):\d{1,5}$/i.test(address)) return address;
  throw invalid(`"${address}" is no address: expected host:port`);
}

function invalid(detail: string): PlacementError {
  return new PlacementError({ code: 'PLACEMENT_INVALID', detail });
}
