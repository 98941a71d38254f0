/** RepairService on the replicas of this node. */
import type { LogIndex } from '@robustmq/raft';
import { RaftError } from '@robustmq/raft-driver';
import { mount, type MountedService, refusal, repairService, rpcStatus } from '@robustmq/rpc';
import type { OpenedReplica } from '../shards/replica-opener.ts';

/** LIMIT: entriesBytesMax (of one answer) */
const entriesBytesMax = 32 * 1024 * 1024;
/** LIMIT: repairsUnderWayMax (for all other servers) */
const repairsUnderWayMax = 2;

/** Gives other servers entries of the shards that are open here. */
export function repairEntries(host: {
  readonly clusterName: string;
  /** Null: it is not open here. */
  readonly replicaOfGroup: (groupId: number) => OpenedReplica | null;
}): MountedService {
  let underWay = 0;
  return mount(repairService, {
    readEntries: async ({ clusterName, groupId, from, through }) => {
      if (clusterName !== host.clusterName) {
        const sentence = `this is cluster ${host.clusterName}, not ${clusterName}`;
        throw refusal(rpcStatus.FAILED_PRECONDITION, sentence);
      }
      if (from < 1 || through < from - 1) {
        throw refusal(rpcStatus.INVALID_ARGUMENT, `no entries are ${from} to ${through}`);
      }
      const replica = host.replicaOfGroup(groupId);
      if (replica === null || replica.encodeEntries === null) {
        // Not the same as having no such entries: it may be about to open.
        throw refusal(rpcStatus.UNAVAILABLE, `no message shard with group ${groupId} is open here`);
      }
      if (underWay >= repairsUnderWayMax) {
        const sentence = `${repairsUnderWayMax} replicas are given entries already`;
        throw refusal(rpcStatus.RESOURCE_EXHAUSTED, sentence);
      }
      underWay += 1;
      try {
        const entries = await replica.encodeEntries(from as LogIndex, through as LogIndex);
        if (entries === null || entries.length <= entriesBytesMax) return { entries };
        const sentence = `entries ${from} to ${through} are ${entries.length} bytes, too many at once`;
        throw refusal(rpcStatus.RESOURCE_EXHAUSTED, sentence);
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
        if (error.fault.code === 'RAFT_LOG_CORRUPT') return { entries: null };
        throw refusal(rpcStatus.UNAVAILABLE, error.message);
      } finally {
        underWay -= 1;
      }
    },
  });
}
