/**
 * The placement center over gRPC, as a `Placement`.
 *
 * Everything goes over one stream per server and turn of the event loop (KvService.Pipeline); a watch
 * has a stream of its own. Nothing is sent before the first call.
 */

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
import { type ChannelTls, defaultChannelLimits, type PipelineOutcome } from '@robustmq/rpc';
import {
  type ClientEnvironment,
  defaultRemoteCallLimits,
  RemoteCalls,
  type RemoteCallLimits,
} from './remote-calls.ts';
import { RemoteWatch } from './remote-watch.ts';
import { ServerList } from './server-list.ts';

/** How to reach the placement center. */
export interface PlacementConnectionOptions extends ClientEnvironment {
  /** Some members, as `host:port`; at least one. Others are learnt from them. */
  readonly servers: readonly string[];
  /** null: in clear. */
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
  /** null: the defaults. */
  readonly limits: RemoteCallLimits | null;
}

/** @throws PlacementError PLACEMENT_INVALID without a server; RpcSetupError RPC_TLS_INVALID with the first call */
export function connectPlacement(options: PlacementConnectionOptions): Placement {
  if (options.servers.length === 0) {
    const detail = 'no placement center server is given';
    throw new PlacementError({ code: 'PLACEMENT_INVALID', detail });
  }
  return new RemotePlacement(options);
}

/** Until its first revision a watch waits as long. */
const WATCH_BEGIN_MS = 60_000;

class RemotePlacement implements Placement {
  readonly #environment: ClientEnvironment;
  readonly #servers: ServerList;
  readonly #calls: RemoteCalls;
  readonly #watches = new Set<RemoteWatch>();
  #isClosed = false;

  constructor(options: PlacementConnectionOptions) {
    const { servers, tls, token, clock, timers, random } = options;
    this.#environment = { clock, timers, random };
    this.#servers = new ServerList(servers, { tls, token, limits: defaultChannelLimits });
    const limits = options.limits ?? defaultRemoteCallLimits;
    this.#calls = new RemoteCalls(this.#servers, this.#environment, limits);
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
