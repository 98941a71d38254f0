/** Between faults of the placement center and gRPC's status codes: the only such table. */
import { status, Metadata, type StatusObject } from '@grpc/grpc-js';
import { PlacementError, type PlacementFault } from '@robustmq/placement';
import { faultCodec } from './codec/fault.ts';
import { bufferOf } from './contract/reflection.ts';
import { RpcError, type RpcStatus } from './rpc-error.ts';

const FAULT_TRAILER = 'robustmq-fault-bin';

/**
 * UNAVAILABLE, the one status that retry policies repeat by default, is given only when nothing
 * happened. UNKNOWN is in no policy: whether the change happened must be looked up first.
 * FAILED_PRECONDITION tells a client not to try again here, but with the leader.
 */
export function statusOf(fault: PlacementFault): RpcStatus {
  switch (fault.code) {
    case 'PLACEMENT_NOT_LEADER':
      return status.FAILED_PRECONDITION;
    case 'PLACEMENT_UNAVAILABLE':
    case 'PLACEMENT_CLOSED':
      return status.UNAVAILABLE;
    case 'PLACEMENT_OUTCOME_UNKNOWN':
      return status.UNKNOWN;
    case 'PLACEMENT_OVERLOADED':
    case 'PLACEMENT_FULL':
      return status.RESOURCE_EXHAUSTED;
    case 'PLACEMENT_INVALID':
      return status.INVALID_ARGUMENT;
    case 'PLACEMENT_UNAUTHENTICATED':
      return status.UNAUTHENTICATED;
    case 'PLACEMENT_LEASE_NOT_FOUND':
      return status.NOT_FOUND;
    case 'PLACEMENT_LEASE_EXISTS':
      return status.ALREADY_EXISTS;
    default:
      return status.OUT_OF_RANGE;
  }
}

/** How a server tells a failure. */
export interface SentStatus {
  readonly code: RpcStatus;
  readonly details: string;
  readonly metadata: Metadata;
}

/** What a server sends for `error`; null when the error is none that a client may see. */
export function sentStatus(error: unknown): SentStatus | null {
  if (error instanceof PlacementError) {
    return faultStatus(error.fault);
  }
  if (!(error instanceof RpcError)) return null;
  if (error.fault !== null) return faultStatus(error.fault);
  const details = error.message.slice(status[error.status].length + 2);
  return { code: error.status, details: cut(details), metadata: new Metadata() };
}

/** LIMIT: DETAIL_UNITS_MAX. Statuses travel as headers, which have little room: the rest is cut. */
const DETAIL_UNITS_MAX = 1024;

/** What a server sends for `told`. */
export function faultStatus(told: PlacementFault): SentStatus {
  const fault = 'detail' in told ? { ...told, detail: cut(told.detail) } : told;
  const metadata = new Metadata();
  metadata.set(FAULT_TRAILER, bufferOf(faultCodec.encode(fault)));
  return { code: statusOf(fault), details: new PlacementError(fault).message, metadata };
}

function cut(detail: string): string {
  return detail.length <= DETAIL_UNITS_MAX
    ? detail
    : `${detail.slice(0, DETAIL_UNITS_MAX).toWellFormed()}…`;
}

/** What a client got. */
export function receivedError(received: Partial<StatusObject>, cause: unknown): RpcError {
  const code = received.code ?? status.UNKNOWN;
  const detail = received.details ?? String(cause);
  const fault = faultIn(received.metadata);
  return new RpcError({ status: code, detail, fault, sent: 'perhaps' }, { cause });
}

function faultIn(metadata: Metadata | undefined): PlacementFault | null {
  const [bytes] = metadata?.get(FAULT_TRAILER) ?? [];
  if (bytes === undefined || typeof bytes === 'string') return null;
  try {
    return faultCodec.decode(bytes);
  } catch {
    // Somebody else's trailer of the same name says nothing about our faults.
    return null;
  }
}

/**
 * The fault of the contract that a failed call stands for.
 *
 * @param effect  whether the call may have changed something: then a lost answer leaves the outcome open
 */
export function placementFaultOf(error: unknown, effect: 'reads' | 'changes'): PlacementFault {
  if (error instanceof PlacementError) return error.fault;
  if (!(error instanceof RpcError)) return outcome(String(error), effect);
  if (error.fault !== null) return error.fault;
  const detail = error.message;
  switch (error.status) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return { code: 'PLACEMENT_UNAUTHENTICATED', detail };
    case status.INVALID_ARGUMENT:
    case status.UNIMPLEMENTED:
    case status.NOT_FOUND:
    case status.ALREADY_EXISTS:
    case status.OUT_OF_RANGE:
    case status.FAILED_PRECONDITION:
      return { code: 'PLACEMENT_INVALID', detail };
    case status.RESOURCE_EXHAUSTED:
      return { code: 'PLACEMENT_OVERLOADED', detail };
    default:
      return error.sent === 'no' ? outcome(detail, 'reads') : outcome(detail, effect);
  }
}

function outcome(detail: string, effect: 'reads' | 'changes'): PlacementFault {
  const code = effect === 'reads' ? 'PLACEMENT_UNAVAILABLE' : 'PLACEMENT_OUTCOME_UNKNOWN';
  return { code, detail };
}
