/**
 * Request ids on etcd, which has none: a marker key in the same transaction.
 *
 *     if the marker does not exist
 *       then  if the comparisons hold   then  put the marker "1", and the operations
 *                                       else  put the marker "0", and the other operations
 *       else  read the marker: it says what the first outcome was
 *
 * Markers are bound to a lease that several share and nobody keeps alive. A new one is taken when half
 * of its time is over, so each marker is kept for at least two minutes: longer than calls are repeated.
 */

import type { Clock } from '@robustmq/environment';
import type { LeaseId, Revision, Transaction } from '@robustmq/placement';
import type { ITxnRequest, ITxnResponse } from 'etcd3';
import { compareOf, requestsOf } from './etcd-messages.ts';

/** How long a lease of markers lives. */
export const MARKER_TTL_SECONDS = 240;

/** Where markers are; no registry has keys there. */
const MARKERS = '/robustmq-requests/';

/** The transaction as it is, without a request id. */
export function plainTransaction(transaction: Transaction): ITxnRequest {
  return {
    compare: transaction.compare.map(compareOf),
    success: requestsOf(transaction.then),
    failure: requestsOf(transaction.otherwise),
  };
}

/** The transaction, carried out unless its marker exists. */
export function markedTransaction(
  transaction: Transaction,
  marker: { readonly requestId: string; readonly lease: LeaseId },
): ITxnRequest {
  const key = Buffer.from(MARKERS + marker.requestId);
  const put = (outcome: string) => ({
    request_put: { key, value: Buffer.from(outcome), lease: marker.lease },
  });
  const { compare, success = [], failure = [] } = plainTransaction(transaction);
  const marked = {
    success: [put('1'), ...success],
    failure: [put('0'), ...failure],
    ...(compare === undefined ? {} : { compare }),
  };
  return {
    compare: [{ key, target: 0, result: 0, version: 0 }],
    success: [{ request_txn: marked }],
    failure: [{ request_range: { key } }],
  };
}

/** What came of {@link markedTransaction}. */
export type MarkedOutcome =
  | { readonly kind: 'repeated'; readonly succeeded: boolean; readonly revision: Revision }
  | { readonly kind: 'carriedOut'; readonly inner: Pick<ITxnResponse, 'succeeded' | 'responses'> };

/** Whether the transaction was carried out now, or before. */
export function markedOutcome(response: ITxnResponse): MarkedOutcome {
  const [only] = response.responses;
  if (only === undefined) throw new Error('etcd answered a marked transaction with nothing');
  if (!response.succeeded) {
    const marker = only.response_range.kvs[0];
    if (marker === undefined) throw new Error('etcd does not tell a marker that exists');
    const revision = Number(marker.mod_revision) as Revision;
    return { kind: 'repeated', succeeded: marker.value.toString() === '1', revision };
  }
  const { succeeded, responses } = only.response_txn;
  return { kind: 'carriedOut', inner: { succeeded, responses: responses.slice(1) } };
}

/** Takes leases for markers when they are needed. */
export class MarkerLease {
  readonly #clock: Clock;
  readonly #grant: (ttlSeconds: number) => Promise<LeaseId>;
  #current: Promise<LeaseId> | null = null;
  #takenAtMs = 0;

  constructor(clock: Clock, grant: (ttlSeconds: number) => Promise<LeaseId>) {
    this.#clock = clock;
    this.#grant = grant;
  }

  async take(): Promise<LeaseId> {
    const nowMs = this.#clock.monotonicMs();
    const isFresh = nowMs - this.#takenAtMs < (MARKER_TTL_SECONDS * 1000) / 2;
    if (this.#current !== null && isFresh) return this.#current;
    this.#takenAtMs = nowMs;
    const taken = this.#grant(MARKER_TTL_SECONDS);
    this.#current = taken;
    taken.catch(() => this.forget());
    return taken;
  }

  /** The lease is gone, or was never granted: the next one to ask gets another. */
  forget(): void {
    this.#current = null;
  }
}
