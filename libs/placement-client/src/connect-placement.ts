/**
 * The placement center over gRPC, as a `Placement`.
 *
 * Everything goes over one stream per server and turn of the event loop (KvService.Pipeline); a watch
 * has a stream of its own. Nothing is sent before the first call.
 */

import { type Placement, PlacementError } from '@robustmq/placement';
import { type ChannelTls, defaultChannelLimits } from '@robustmq/rpc';
import { RemotePlacement, type RemotePlacementOptions } from './remote-placement.ts';
import { ServerList } from './server-list.ts';

/** How to reach the placement center. */
export interface PlacementConnectionOptions extends RemotePlacementOptions {
  /** Some members, as `host:port`; at least one. Others are learnt from them. */
  readonly servers: readonly string[];
  /** null: in clear. */
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
}

/** @throws PlacementError PLACEMENT_INVALID without a server; RpcSetupError RPC_TLS_INVALID with the first call */
export function connectPlacement(options: PlacementConnectionOptions): Placement {
  if (options.servers.length === 0) {
    const detail = 'no placement center server is given';
    throw new PlacementError({ code: 'PLACEMENT_INVALID', detail });
  }
  const { servers, tls, token } = options;
  const list = new ServerList(servers, { tls, token, limits: defaultChannelLimits });
  return new RemotePlacement(list, options);
}
