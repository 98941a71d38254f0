/** One cluster of etcd as a place that carries out calls, each once: what fails is told. */

import type { Clock, RandomSource } from '@robustmq/environment';
import {
  type CallOptions,
  isEmptyRange,
  type Lease,
  type LeaseId,
  type LeaseStatus,
  PlacementError,
  type RangeReply,
  type RangeRequest,
  type Revision,
  type Transaction,
  type TransactionResult,
  type WatchBatch,
} from '@robustmq/placement';
import type { PipelineCall, PipelineOutcome } from '@robustmq/rpc';
import type { Etcd3, IResponseHeader } from 'etcd3';
import type { PlacementServer, ResumedWatch } from '../placement-server.ts';
import { faultOfEtcd, subjectOf } from './etcd-faults.ts';
import { rangeRequest, rangeResultOf, resultsOf } from './etcd-messages.ts';
import { followEtcd, oldestRevision } from './etcd-watch.ts';
import { keepEtcdLease } from './keep-etcd-lease.ts';
import {
  markedOutcome,
  MarkerLease,
  markedTransaction,
  plainTransaction,
} from './request-markers.ts';

/** Of which only the revision of the store is asked. */
const ANY_KEY = Buffer.of(0);

/** All hosts of one etcd: its client chooses among them. */
export class EtcdServer implements PlacementServer {
  readonly address: string;
  readonly #client: Etcd3;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #markers: MarkerLease;

  constructor(
    client: Etcd3,
    options: { readonly address: string; readonly clock: Clock; readonly random: RandomSource },
  ) {
    this.#client = client;
    this.address = options.address;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#markers = new MarkerLease(options.clock, async (ttlSeconds) => {
      const lease = await this.#grant(ttlSeconds, { deadlineMs: 10_000, signal: null });
      return lease.id;
    });
  }

  async call(call: PipelineCall, options: CallOptions): Promise<PipelineOutcome> {
    const subject = subjectOf(call);
    try {
      return await unlessAborted(this.#carryOut(call, options), options.signal);
    } catch (error) {
      throw new PlacementError(faultOfEtcd(error, subject), { cause: error });
    }
  }

  follow(request: ResumedWatch, signal: AbortSignal): AsyncIterable<WatchBatch> {
    return followEtcd(this.#client, request, signal);
  }

  async #carryOut(call: PipelineCall, options: CallOptions): Promise<PipelineOutcome> {
    switch (call.kind) {
      case 'range':
        return { kind: 'range', reply: await this.#range(call.request, options) };
      case 'transact':
        return { kind: 'transact', result: await this.#transact(call.transaction, options) };
      case 'grant':
        return { kind: 'grant', lease: await this.#grant(call.ttlSeconds, options) };
      case 'readLease':
        return { kind: 'readLease', status: await this.#readLease(call.id, options) };
      case 'compact':
        await this.#compact(call.revision, options);
        return { kind: 'compact' };
      case 'revoke':
        await this.#client.leaseClient.leaseRevoke({ ID: call.id }, this.#until(options));
        return { kind: 'revoke' };
      default:
        return { kind: 'keep', lease: await this.#keep(call.id, options) };
    }
  }

  async #range(request: RangeRequest, options: CallOptions): Promise<RangeReply> {
    const isEmpty = isEmptyRange(request.range);
    // Of an empty range only the revision is wanted: any key will do.
    const asked = isEmpty ? { key: ANY_KEY, count_only: true } : rangeRequest(request);
    const serializable = request.consistency === 'serializable';
    const call = this.#until(options);
    const response = await this.#client.kv.range({ ...asked, serializable }, call);
    const revision = revisionIn(response.header);
    if (isEmpty) return { kind: 'range', keyValues: [], count: 0, more: false, revision };
    return { ...rangeResultOf(request, response), revision };
  }

  async #transact(transaction: Transaction, options: CallOptions): Promise<TransactionResult> {
    const { requestId } = transaction;
    if (requestId !== null) return this.#transactMarked(transaction, requestId, options);
    const request = plainTransaction(transaction);
    const response = await this.#client.kv.txn(request, this.#until(options));
    const { succeeded, responses } = response;
    const operations = succeeded ? transaction.then : transaction.otherwise;
    const results = resultsOf(operations, responses);
    return { revision: revisionIn(response.header), succeeded, results, repeated: false };
  }

  async #transactMarked(
    transaction: Transaction,
    requestId: string,
    options: CallOptions,
  ): Promise<TransactionResult> {
    const lease = await this.#markers.take();
    const request = markedTransaction(transaction, { requestId, lease });
    const call = this.#until(options);
    const response = await this.#client.kv.txn(request, call).catch(async (error: unknown) => {
      if (!(await this.#isMarkerLeaseGone(lease, error, options))) throw error;
      this.#markers.forget();
      const detail = 'the lease of request ids has ended: nothing was changed';
      throw new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
    });
    const outcome = markedOutcome(response);
    if (outcome.kind === 'repeated') {
      const { revision, succeeded } = outcome;
      return { revision, succeeded, results: [], repeated: true };
    }
    const revision = revisionIn(response.header);
    const { succeeded, responses } = outcome.inner;
    const operations = succeeded ? transaction.then : transaction.otherwise;
    return { revision, succeeded, results: resultsOf(operations, responses), repeated: false };
  }

  /** A transaction says only that some lease is not there. */
  async #isMarkerLeaseGone(lease: LeaseId, error: unknown, options: CallOptions): Promise<boolean> {
    const { code } = faultOfEtcd(error, { effect: 'changes', lease });
    if (code !== 'PLACEMENT_LEASE_NOT_FOUND') return false;
    const status = await this.#client.leaseClient.leaseTimeToLive(
      { ID: lease },
      this.#until(options),
    );
    return Number(status.TTL) <= 0;
  }

  /** etcd's own leases have ids of 63 bits, which a number cannot hold: the id is chosen here. */
  async #grant(ttlSeconds: number, options: CallOptions): Promise<Lease> {
    const id = (this.#random.uint32() * 0x20_0000 + (this.#random.uint32() >>> 11) + 1) as LeaseId;
    const request = { TTL: ttlSeconds, ID: id };
    const granted = await this.#client.leaseClient.leaseGrant(request, this.#until(options));
    return { id, ttlSeconds: Number(granted.TTL) };
  }

  #keep(id: LeaseId, options: CallOptions): Promise<Lease> {
    return keepEtcdLease(this.#client, id, this.#until(options));
  }

  async #readLease(id: LeaseId, options: CallOptions): Promise<LeaseStatus> {
    const request = { ID: id, keys: true };
    const status = await this.#client.leaseClient.leaseTimeToLive(request, this.#until(options));
    const remainingSeconds = Number(status.TTL);
    if (remainingSeconds < 0) {
      throw new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id });
    }
    const keys = status.keys.map((key) => key.toString());
    return { id, ttlSeconds: Number(status.grantedTTL), remainingSeconds, keys };
  }

  async #compact(revision: Revision, options: CallOptions): Promise<void> {
    const { kv } = this.#client;
    const call = this.#until(options);
    try {
      await kv.compact({ revision }, call);
    } catch (error) {
      const { code } = faultOfEtcd(error, { effect: 'changes', lease: null });
      if (code === 'PLACEMENT_REVISION_COMPACTED') {
        const oldest = await oldestRevision(this.#client, revision);
        throw new PlacementError({ code, requested: revision, oldest });
      }
      if (code !== 'PLACEMENT_REVISION_FUTURE') throw error;
      const { header } = await kv.range({ key: ANY_KEY, count_only: true }, call);
      throw new PlacementError({ code, requested: revision, current: revisionIn(header) });
    }
  }

  #until({ deadlineMs }: CallOptions): { readonly deadline: number } {
    return { deadline: this.#clock.nowMs() + Math.max(1, deadlineMs) };
  }
}

function revisionIn(header: IResponseHeader): Revision {
  return Number(header.revision) as Revision;
}

/** etcd3 cannot cancel a call: who gives up is told at once, and the call ends by its deadline. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | null): Promise<Value> {
  if (signal === null) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error('the caller gave up'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
