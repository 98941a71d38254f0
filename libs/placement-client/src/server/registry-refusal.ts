/** Faults of the registries as gRPC statuses: the only such table. */

import { RegistryError, type RegistryFault } from '@robustmq/placement-registry';
import { refusal, rpcStatus, type RpcStatus } from '@robustmq/rpc';

/** Awaits `answer`; what a registry refuses is told with a status of its own, anything else passes. */
export async function refusing<Reply>(answer: () => Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw refusal(statusOf(error.fault), `${error.fault.code}: ${error.message}`);
  }
}

function statusOf(fault: RegistryFault): RpcStatus {
  switch (fault.code) {
    case 'REGISTRY_INVALID':
      return rpcStatus.INVALID_ARGUMENT;
    case 'REGISTRY_NOT_FOUND':
      return rpcStatus.NOT_FOUND;
    case 'REGISTRY_EXISTS':
      return rpcStatus.ALREADY_EXISTS;
    case 'REGISTRY_FENCED':
    case 'REGISTRY_NODES_MISSING':
    case 'REGISTRY_SHARD_UNDER_WAY':
      return rpcStatus.FAILED_PRECONDITION;
    case 'REGISTRY_CONTENDED':
      return rpcStatus.ABORTED;
    default:
      return rpcStatus.DATA_LOSS;
  }
}
