/** Raft frames between the members. */
import { systemRandom, systemTimers } from '@robustmq/environment';
import type { NodeId } from '@robustmq/raft';
import {
  type Credentials,
  defaultPeerLimits,
  type GrpcPeerTransport,
  type Implementation,
  mount,
  type MountedService,
  type PeerTransportOptions,
  type RaftTransportMethods,
  raftTransportService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import type { PlacementCenterSettings } from '../settings.ts';

export function peerTransportOptions(
  settings: PlacementCenterSettings,
  { channel, token }: Credentials,
  clusterId: string,
): PeerTransportOptions {
  return {
    cluster: clusterId,
    self: settings.nodeId as NodeId,
    tls: channel,
    token,
    limits: defaultPeerLimits,
    observer: { connected: () => {}, lost: () => {} },
    random: systemRandom,
    timers: systemTimers,
  };
}

/** The receiving side of a transport that may not be there yet. */
export function lateRaftTransport(transport: () => GrpcPeerTransport | null): MountedService {
  return mount(raftTransportService, {
    exchange: (call, context) => {
      const opened = transport();
      if (opened === null) throw refusal(rpcStatus.UNAVAILABLE, 'this member is not open yet');
      const { implementation } = opened.service();
      (implementation as Implementation<RaftTransportMethods>).exchange(call, context);
    },
  });
}
