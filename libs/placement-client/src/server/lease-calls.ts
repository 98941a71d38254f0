/** LeaseService on a `Placement`. */

import type { CallOptions, Lease, Placement } from '@robustmq/placement';
import {
  type DuplexCall,
  type LeaseMethods,
  type LeaseRequest,
  leaseService,
  type ListLeasesReply,
  type ListLeasesRequest,
  type Implementation,
  mount,
  type MountedService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import { optionsOf } from './served-registries.ts';

/** Tells the leases of the store; a `Placement` cannot. */
export type ListLeases = (
  request: ListLeasesRequest,
  options: CallOptions,
) => Promise<ListLeasesReply>;

/** LeaseService, for `openRpcServer`. @param listLeases  null: UNIMPLEMENTED */
export function leaseCalls(placement: Placement, listLeases: ListLeases | null): MountedService {
  const implementation: Implementation<LeaseMethods> = {
    grant: ({ ttlSeconds }, context) => placement.grantLease(ttlSeconds, optionsOf(context)),
    keepAlive: (call, context) => keepAlive(placement, call, optionsOf(context)),
    revoke: async ({ id }, context) => {
      await placement.revokeLease(id, optionsOf(context));
      return {};
    },
    timeToLive: ({ id }, context) => placement.readLease(id, optionsOf(context)),
    leases: async (request, context) => {
      if (listLeases === null) throw refusal(rpcStatus.UNIMPLEMENTED, 'leases are not listed here');
      return listLeases(request, optionsOf(context));
    },
  };
  return mount(leaseService, implementation);
}

/** One after the other: replies come in the order of the requests. */
function keepAlive(
  placement: Placement,
  call: DuplexCall<LeaseRequest, Lease>,
  options: CallOptions,
): void {
  let last: Promise<void> = Promise.resolve();
  call.onMessage(({ id }) => {
    call.pause();
    last = placement.keepLease(id, options).then(
      (lease) => {
        call.write(lease);
        call.resume();
      },
      (error: unknown) => call.abort(error),
    );
  });
  call.onDrain(() => undefined);
  call.onEnd(() => undefined);
  call.onHalfClose(() => {
    void last.then(() => call.finish());
  });
}
