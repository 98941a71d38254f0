import { clusterService, defaultChannelLimits, openChannel } from '@robustmq/rpc';
import type { AskPeer } from '../cluster/peer-check.ts';
import type { Credentials } from './credentials.ts';

const ASK_DEADLINE_MS = 2000;

/** Asks a peer who it is, on a connection of its own that ends with the answer. */
export function askPeer({ channel, token }: Credentials): AskPeer {
  return async (address) => {
    const opened = openChannel({ address, tls: channel, token, limits: defaultChannelLimits });
    try {
      const client = opened.clientOf(clusterService);
      return await client.status({}, { deadlineMs: ASK_DEADLINE_MS, signal: null });
    } finally {
      opened.close();
    }
  };
}
