/** Turns what Raft, the store and the state machine refuse into what callers of a placement know. */
import { unreachable } from '@robustmq/errors';
import {
  type CommandRefusal,
  faultOfRefusal,
  PlacementError,
  type PlacementFault,
} from '@robustmq/placement';
import type { NodeId } from '@robustmq/raft';
import { RaftError, type RaftFault } from '@robustmq/raft-driver';

/** Where a member is reached, as `host:port`; null when nobody knows. */
export type AddressOf = (node: NodeId) => string | null;

/** Why a command, a read or a change of members did not come about. */
export function placementErrorFrom(error: unknown, addressOf: AddressOf): Error {
  if (error instanceof RaftError) {
    return new PlacementError(faultFrom(error.fault, addressOf), { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function faultFrom(fault: RaftFault, addressOf: AddressOf): PlacementFault {
  switch (fault.code) {
    case 'RAFT_REFUSED':
      return refusalFrom(fault, addressOf);
    case 'RAFT_OUTCOME_UNKNOWN':
      return { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail: fault.detail };
    case 'RAFT_UNAVAILABLE':
      return { code: 'PLACEMENT_UNAVAILABLE', detail: fault.detail };
    case 'RAFT_FULL':
      return { code: 'PLACEMENT_FULL', detail: fault.detail };
    case 'RAFT_IO_FAILED':
    case 'RAFT_LOG_CORRUPT':
      // The group has failed while the command was under way: others may have committed it.
      return { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail: `this member failed: ${fault.detail}` };
    default:
      return unreachable(fault);
  }
}

function refusalFrom(
  { reason, leader }: Extract<RaftFault, { code: 'RAFT_REFUSED' }>,
  addressOf: AddressOf,
): PlacementFault {
  switch (reason) {
    case 'overloaded':
      return { code: 'PLACEMENT_OVERLOADED', detail: 'too many commands wait for a majority' };
    case 'membershipPending':
      return {
        code: 'PLACEMENT_OVERLOADED',
        detail: 'an earlier change of the members is not finished',
      };
    case 'membershipInvalid':
      return {
        code: 'PLACEMENT_INVALID',
        detail: 'the change changes nothing, leaves no voter, or names a member of the wrong kind',
      };
    case 'learnerBehind':
      return {
        code: 'PLACEMENT_OVERLOADED',
        detail:
          'the learner is still too far behind to get a vote; try again when it has caught up',
      };
    default:
      return { code: 'PLACEMENT_NOT_LEADER', leader: leader === null ? null : addressOf(leader) };
  }
}

/** The refusal of the state machine as an error: the same on every member. */
export function refusalError(refusal: CommandRefusal): PlacementError {
  return new PlacementError(faultOfRefusal(refusal));
}
