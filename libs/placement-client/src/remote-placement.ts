/** A `Placement` over servers that come and go: which of them do the work is up to `PlacementServers`. */

import {
  type CallOptions,
  DEFAULT_COMMAND_LIMITS,
  type InvalidRequest,
  type Lease,
  type LeaseId,
  type LeaseStatus,
  type Placement,
  PlacementError,
  type RangeReply,
  type RangeRequest,
  type Revision,
  type Transaction,
  type TransactionResult,
  validateRange,
  validateTransaction,
  validateTtl,
  type Watch,
  type WatchRequest,
} from '@robustmq/placement';
import type { PipelineOutcome } from '@robustmq/rpc';
import type { PlacementServers } from './placement-server.ts';
import {
  type ClientEnvironment,
  defaultRemoteCallLimits,
  RemoteCalls,
  type RemoteCallLimits,
} from './remote-calls.ts';
import { RemoteWatch } from './remote-watch.ts';

/** What every client has. */
export interface RemotePlacementOptions extends ClientEnvironment {
  /** null: the defaults. */
  readonly limits: RemoteCallLimits | null;
}

/** Until its first revision a watch waits as long. */
const WATCH_BEGIN_MS = 60_000;

/** See `Placement` for what each method promises. */
export class RemotePlacement implements Placement {
  readonly #environment: ClientEnvironment;
  readonly #servers: PlacementServers;
  readonly #calls: RemoteCalls;
  readonly #watches = new Set<RemoteWatch>();
  #isClosed = false;

  constructor(
    servers: PlacementServers,
    { clock, timers, random, limits }: RemotePlacementOptions,
  ) {
    this.#environment = { clock, timers, random };
    this.#servers = servers;
    this.#calls = new RemoteCalls(servers, this.#environment, limits ?? defaultRemoteCallLimits);
  }

  async range(request: RangeRequest, options: CallOptions): Promise<RangeReply> {
    this.#admit(validateRange(request.range, DEFAULT_COMMAND_LIMITS));
    return answered(await this.#calls.call({ kind: 'range', request }, options)).reply;
  }

  async transact(transaction: Transaction, options: CallOptions): Promise<TransactionResult> {
    this.#admit(validateTransaction(transaction, DEFAULT_COMMAND_LIMITS));
    return answered(await this.#calls.call({ kind: 'transact', transaction }, options)).result;
  }

  watch(request: WatchRequest): Watch {
    const watch = new RemoteWatch(request, {
      ...this.#environment,
      servers: this.#servers,
      nextRevision: (signal) => this.#nextRevision(signal),
      ended: (ended) => this.#watches.delete(ended),
    });
    if (this.#isClosed) watch.close();
    else this.#watches.add(watch);
    return watch;
  }

  async grantLease(ttlSeconds: number, options: CallOptions): Promise<Lease> {
    this.#admit(validateTtl(ttlSeconds));
    const call = { kind: 'grant', ttlSeconds, requestId: null } as const;
    return answered(await this.#calls.call(call, options)).lease;
  }

  async keepLease(id: LeaseId, options: CallOptions): Promise<Lease> {
    return answered(await this.#calls.call({ kind: 'keep', id }, options)).lease;
  }

  async revokeLease(id: LeaseId, options: CallOptions): Promise<void> {
    await this.#calls.call({ kind: 'revoke', id }, options);
  }

  async readLease(id: LeaseId, options: CallOptions): Promise<LeaseStatus> {
    return answered(await this.#calls.call({ kind: 'readLease', id }, options)).status;
  }

  async compact(revision: Revision, options: CallOptions): Promise<void> {
    await this.#calls.call({ kind: 'compact', revision }, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of [...this.#watches]) watch.close();
    await this.#calls.close();
    this.#servers.close();
  }

  /** What is not valid is not sent: the wire would replace half of a surrogate pair, for one. */
  #admit(invalid: InvalidRequest | null): void {
    if (this.#isClosed) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    if (invalid !== null) throw new PlacementError(invalid);
  }

  async #nextRevision(signal: AbortSignal): Promise<Revision> {
    const nothing = { first: '', after: '' };
    const request = {
      range: nothing,
      limit: 1,
      content: 'count',
      consistency: 'linearizable',
    } as const;
    const { revision } = await this.range(request, { deadlineMs: WATCH_BEGIN_MS, signal });
    return (revision + 1) as Revision;
  }
}

/** Only a revocation and a compaction can have happened without an answer. */
function answered<Outcome extends PipelineOutcome>(outcome: Outcome | null): Outcome {
  if (outcome !== null) return outcome;
  const detail = 'the answer is lost';
  throw new PlacementError({ code: 'PLACEMENT_OUTCOME_UNKNOWN', detail });
}
