/** How a call fails, on either side. */
import { status } from '@grpc/grpc-js';
import type { PlacementFault } from '@robustmq/placement';

/** The numbers of gRPC's status codes, by name. */
export const rpcStatus: typeof status = status;

/** A number of {@link rpcStatus}. */
export type RpcStatus = status;

/** What is known of a call that failed. */
export interface RpcFailure {
  readonly status: RpcStatus;
  readonly detail: string;
  /** What a server of ours said about it; null: nobody did. */
  readonly fault: PlacementFault | null;
  /** `no`: the server did not see the request, so it did nothing. */
  readonly sent: 'no' | 'perhaps';
}

/** A call failed. A service throws one to end a call with a status of its choice. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly fault: PlacementFault | null;
  readonly status: RpcStatus;
  readonly sent: 'no' | 'perhaps';

  constructor(failure: RpcFailure, options?: ErrorOptions) {
    super(`${status[failure.status]}: ${failure.detail}`, options);
    this.status = failure.status;
    this.fault = failure.fault;
    this.sent = failure.sent;
  }
}

/** For a service: ends the call with `status`, when no fault of the placement center says it. */
export function refusal(refused: RpcStatus, detail: string): RpcError {
  return new RpcError({ status: refused, detail, fault: null, sent: 'perhaps' });
}
