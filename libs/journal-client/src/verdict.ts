/**
 * What a failed attempt means: the decisions, without the waiting.
 *
 *     | outcome                            | happened | then                              |
 *     |------------------------------------|----------|-----------------------------------|
 *     | not the leader                     | no       | again, at the leader              |
 *     | absent, try again, lost unsent     | no       | again, elsewhere after a pause    |
 *     | unknown, lost                      | perhaps  | again; everything here may repeat |
 *     | full, fenced, trimmed, corrupt, …  | no       | told, unless an attempt is in doubt |
 */
import type { JournalFault } from '@robustmq/journal';
import type { LinkOutcome } from './server-link.ts';

/** What to do. */
export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'follow'; readonly leader: string; readonly reason: string }
  | { readonly kind: 'elsewhere'; readonly inDoubt: boolean; readonly reason: string }
  | { readonly kind: 'outOfOrder'; readonly expected: number }
  | { readonly kind: 'tell'; readonly fault: JournalFault };

/** @param shard  as the caller names it */
export function verdictOn(outcome: LinkOutcome, shard: string): Verdict {
  if (outcome.kind === 'lost') {
    return { kind: 'elsewhere', inDoubt: outcome.sent !== 'no', reason: outcome.detail };
  }
  if (outcome.kind !== 'fault') return { kind: 'done' };
  const { fault } = outcome;
  switch (fault.code) {
    case 'JOURNAL_NOT_LEADER':
      return { kind: 'follow', leader: fault.leaderAddress, reason: 'it does not lead the shard' };
    case 'JOURNAL_SHARD_ABSENT':
    case 'JOURNAL_TRY_AGAIN':
    case 'JOURNAL_UNAVAILABLE':
      return { kind: 'elsewhere', inDoubt: false, reason: fault.detail };
    case 'JOURNAL_OUTCOME_UNKNOWN':
      return { kind: 'elsewhere', inDoubt: true, reason: fault.detail };
    case 'JOURNAL_OUT_OF_ORDER':
      return { kind: 'outOfOrder', expected: fault.expected };
    case 'JOURNAL_REQUEST_INVALID':
      return {
        kind: 'tell',
        fault: { code: 'JOURNAL_IO_FAILED', operation: 'append', detail: fault.detail },
      };
    case 'JOURNAL_FENCED':
      return { kind: 'tell', fault: { ...fault, shard } };
    default:
      return { kind: 'tell', fault };
  }
}
