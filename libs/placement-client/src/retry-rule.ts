/**
 * Which calls may be made again, and what their failures mean: the decisions, without the waiting.
 *
 *     | failure                     | nothing happened | call may be repeated | call may not    |
 *     |-----------------------------|------------------|----------------------|-----------------|
 *     | not the leader, unavailable | again            | again                | again           |
 *     | outcome unknown             | –                | again, remember it   | told as it is   |
 *     | anything else               | told             | told                 | told            |
 *
 * A call that may be repeated and had an attempt with an unknown outcome is never told as one that did
 * not happen: at the end its outcome is unknown, unless an answer settles it.
 */

import type { PlacementFault } from '@robustmq/placement';
import type { PipelineCall } from '@robustmq/rpc';

/** What to do after an attempt has failed. */
export type RetryVerdict =
  /** Nothing happened there; ask again, first of all the leader if one is named. */
  | { readonly kind: 'again'; readonly leader: string | null }
  /** It may have happened, and does no harm a second time. */
  | { readonly kind: 'againAfterDoubt' }
  /** The call has happened already, by an earlier attempt. */
  | { readonly kind: 'done' }
  | { readonly kind: 'give up'; readonly fault: PlacementFault };

/** @param inDoubt  an earlier attempt of the same call may have happened, or may happen yet */
export function verdictOn(
  call: PipelineCall,
  fault: PlacementFault,
  inDoubt: boolean,
): RetryVerdict {
  switch (fault.code) {
    case 'PLACEMENT_NOT_LEADER':
      return { kind: 'again', leader: fault.leader };
    case 'PLACEMENT_UNAVAILABLE':
    case 'PLACEMENT_CLOSED':
      return { kind: 'again', leader: null };
    case 'PLACEMENT_OUTCOME_UNKNOWN':
      return mayRepeat(call) ? { kind: 'againAfterDoubt' } : { kind: 'give up', fault };
    case 'PLACEMENT_OVERLOADED':
    case 'PLACEMENT_FULL':
    case 'PLACEMENT_UNAUTHENTICATED':
      // This attempt did nothing, which says nothing about the one before.
      return { kind: 'give up', fault: inDoubt ? doubtful(fault.detail) : fault };
    case 'PLACEMENT_LEASE_NOT_FOUND':
      return inDoubt && call.kind === 'revoke' ? { kind: 'done' } : { kind: 'give up', fault };
    case 'PLACEMENT_REVISION_COMPACTED':
      return inDoubt && call.kind === 'compact' ? { kind: 'done' } : { kind: 'give up', fault };
    default:
      return { kind: 'give up', fault };
  }
}

/** Whether carrying the call out twice is the same as once, or as never seen by anybody. */
export function mayRepeat(call: PipelineCall): boolean {
  // A second lease that nobody was told of has no keys, and ends by itself.
  if (call.kind !== 'transact') return true;
  const { requestId, then, otherwise } = call.transaction;
  const onlyReads = [...then, ...otherwise].every((operation) => operation.kind === 'range');
  return requestId !== null || onlyReads;
}

function doubtful(detail: string): PlacementFault {
  return {
    code: 'PLACEMENT_OUTCOME_UNKNOWN',
    detail: `an earlier attempt may have happened; the last one: ${detail}`,
  };
}
