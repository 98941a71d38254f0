/** Failures of replicas as the faults that clients get: the only such table. */
import { JournalError, type JournalFault } from '@robustmq/journal';
import { RaftError } from '@robustmq/raft-driver';
import type { JournalReplyFault } from '@robustmq/rpc';
import type { OpenReplica, ReplicaDirectory } from './replica-ports.ts';

/** @returns null for what no client may see: a mistake of ours */
export function faultOf(error: unknown, directory: ReplicaDirectory): JournalReplyFault | null {
  if (error instanceof JournalError) return journalFault(error.fault);
  if (!(error instanceof RaftError)) return null;
  const { fault } = error;
  switch (fault.code) {
    case 'RAFT_REFUSED':
      if (fault.reason === 'notLeader') return notLeader(fault.leader, directory);
      if (fault.reason === 'tooLarge') return invalid('it is larger than a log entry may be');
      return { code: 'JOURNAL_TRY_AGAIN', detail: `the group refuses: ${fault.reason}` };
    case 'RAFT_OUTCOME_UNKNOWN':
      return { code: 'JOURNAL_OUTCOME_UNKNOWN', detail: fault.detail };
    case 'RAFT_UNAVAILABLE':
      return { code: 'JOURNAL_TRY_AGAIN', detail: fault.detail };
    case 'RAFT_FULL':
      return { code: 'JOURNAL_FULL', limit: 'disk', detail: fault.detail };
    default:
      // The replica is lost; another one may have what was asked for.
      return { code: 'JOURNAL_OUTCOME_UNKNOWN', detail: fault.detail };
  }
}

/** Where the leader is, as far as this node knows. */
export function notLeader(leader: number | null, directory: ReplicaDirectory): JournalReplyFault {
  const leaderAddress = leader === null ? null : directory.addressOf(leader);
  return { code: 'JOURNAL_NOT_LEADER', leader, leaderAddress: leaderAddress ?? '' };
}

/** Of a replica that does not lead. */
export function notLeading(replica: OpenReplica, directory: ReplicaDirectory): JournalReplyFault {
  return notLeader(replica.isLeader() ? null : replica.leader(), directory);
}

/** No replica of the shard is open here. */
export function absent(shard: string): JournalReplyFault {
  return { code: 'JOURNAL_SHARD_ABSENT', detail: `no replica of ${shard} is open on this node` };
}

/** The request can't be meant. */
export function invalid(detail: string): JournalReplyFault {
  return { code: 'JOURNAL_REQUEST_INVALID', detail };
}

function journalFault(fault: JournalFault): JournalReplyFault {
  if (fault.code !== 'JOURNAL_CLOSED') return fault;
  return { code: 'JOURNAL_SHARD_ABSENT', detail: 'the replica was closed' };
}
