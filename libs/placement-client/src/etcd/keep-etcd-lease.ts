import { type Lease, type LeaseId, PlacementError } from '@robustmq/placement';
import type { Etcd3, ILeaseKeepAliveResponse } from 'etcd3';
import { asReplies } from './etcd-stream.ts';

/** One request and its reply on a stream of its own: leases are kept every few seconds. */
export async function keepEtcdLease(
  client: Etcd3,
  id: LeaseId,
  options: { readonly deadline: number },
): Promise<Lease> {
  const stream = await client.leaseClient.leaseKeepAlive(options);
  try {
    stream.write({ ID: id });
    for await (const reply of asReplies<ILeaseKeepAliveResponse>(stream)) {
      const ttlSeconds = Number(reply.TTL);
      if (ttlSeconds > 0) return { id, ttlSeconds };
      throw new PlacementError({ code: 'PLACEMENT_LEASE_NOT_FOUND', lease: id });
    }
    throw new Error('etcd has ended the stream of leases');
  } finally {
    stream.cancel();
  }
}
