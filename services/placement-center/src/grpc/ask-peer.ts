import { singleKeyRange } from '@robustmq/placement';
import { removedKey } from '@robustmq/placement-node';
import type { NodeId } from '@robustmq/raft';
import {
  clusterService,
  type Credentials,
  defaultChannelLimits,
  kvService,
  openChannel,
  type RpcChannel,
} from '@robustmq/rpc';
import type { AskPeer } from '../cluster/peer-check.ts';

const CALL = { deadlineMs: 2000, signal: null };

/** Asks a peer who it is, on a connection of its own that ends with the answer. */
export function askPeer(credentials: Credentials): AskPeer {
  return (address) =>
    onChannel(credentials, address, (channel) => channel.clientOf(clusterService).status({}, CALL));
}

/** Whether a peer has applied that a member was removed. Rejects when it does not answer. */
export function askRemoved(
  credentials: Credentials,
  node: number,
): (address: string) => Promise<boolean> {
  const range = singleKeyRange(removedKey(node as NodeId));
  const request = { range, limit: 1, content: 'count', consistency: 'serializable' } as const;
  return (address) =>
    onChannel(credentials, address, async (channel) => {
      const { count } = await channel.clientOf(kvService).range(request, CALL);
      return count > 0;
    });
}

async function onChannel<Reply>(
  { channel, token }: Credentials,
  address: string,
  call: (channel: RpcChannel) => Promise<Reply>,
): Promise<Reply> {
  const opened = openChannel({ address, tls: channel, token, limits: defaultChannelLimits });
  try {
    return await call(opened);
  } finally {
    opened.close();
  }
}
