/** Failures of etcd as faults of the contract: the only such table. */

import {
  type LeaseId,
  PlacementError,
  type PlacementFault,
  type Revision,
} from '@robustmq/placement';
import type { PipelineCall } from '@robustmq/rpc';

/** What the failed call was about. */
export interface EtcdSubject {
  readonly effect: 'reads' | 'changes';
  readonly lease: LeaseId | null;
}

/** What a call may change, and which lease it names. */
export function subjectOf(call: PipelineCall): EtcdSubject {
  switch (call.kind) {
    case 'range':
      return { effect: 'reads', lease: null };
    case 'readLease':
      return { effect: 'reads', lease: call.id };
    case 'keep':
    case 'revoke':
      return { effect: 'changes', lease: call.id };
    case 'transact':
      return { effect: 'changes', lease: firstLease(call) };
    default:
      return { effect: 'changes', lease: null };
  }
}

function firstLease({ transaction }: Extract<PipelineCall, { kind: 'transact' }>): LeaseId | null {
  const operations = [...transaction.then, ...transaction.otherwise];
  const put = operations.find((each) => each.kind === 'put' && each.lease !== null);
  return put?.kind === 'put' ? put.lease : null;
}

/** etcd's words, and what they mean. The first that is contained counts. */
const MEANINGS: readonly (readonly [words: string, code: Meaning])[] = [
  ['requested lease not found', 'lease'],
  ['has been compacted', 'compacted'],
  ['is a future revision', 'future'],
  ['database space exceeded', 'PLACEMENT_FULL'],
  ['too many requests', 'PLACEMENT_OVERLOADED'],
  ['duplicate key given', 'PLACEMENT_INVALID'],
  ['too many operations', 'PLACEMENT_INVALID'],
  ['request is too large', 'PLACEMENT_INVALID'],
  ['key is not provided', 'PLACEMENT_INVALID'],
  ['too large lease TTL', 'PLACEMENT_INVALID'],
  ['authentication failed', 'PLACEMENT_UNAUTHENTICATED'],
  ['invalid auth token', 'PLACEMENT_UNAUTHENTICATED'],
  ['permission denied', 'PLACEMENT_UNAUTHENTICATED'],
  ['user name is empty', 'PLACEMENT_UNAUTHENTICATED'],
  // Nothing was sent, or nothing was proposed.
  ['No connection established', 'PLACEMENT_UNAVAILABLE'],
  ['Name resolution failed', 'PLACEMENT_UNAVAILABLE'],
  ['etcdserver: no leader', 'PLACEMENT_UNAVAILABLE'],
];

type Meaning =
  | 'lease'
  | 'compacted'
  | 'future'
  | 'PLACEMENT_FULL'
  | 'PLACEMENT_OVERLOADED'
  | 'PLACEMENT_INVALID'
  | 'PLACEMENT_UNAUTHENTICATED'
  | 'PLACEMENT_UNAVAILABLE';

/**
 * Anything that is not known leaves the outcome of a change open.
 *
 * Of a revision that is compacted or in the future the numbers are 0: whoever asked for one puts them in.
 */
export function faultOfEtcd(error: unknown, subject: EtcdSubject): PlacementFault {
  if (error instanceof PlacementError) return error.fault;
  const detail = error instanceof Error ? error.message : String(error);
  const meaning = MEANINGS.find(([words]) => detail.includes(words))?.[1];
  switch (meaning) {
    case 'lease':
      return { code: 'PLACEMENT_LEASE_NOT_FOUND', lease: subject.lease ?? (0 as LeaseId) };
    case 'compacted':
      return {
        code: 'PLACEMENT_REVISION_COMPACTED',
        requested: 0 as Revision,
        oldest: 0 as Revision,
      };
    case 'future':
      return {
        code: 'PLACEMENT_REVISION_FUTURE',
        requested: 0 as Revision,
        current: 0 as Revision,
      };
    case undefined:
      return subject.effect === 'reads'
        ? { code: 'PLACEMENT_UNAVAILABLE', detail }
        : { code: 'PLACEMENT_OUTCOME_UNKNOWN', detail };
    default:
      return { code: meaning, detail };
  }
}
