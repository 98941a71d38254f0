import { systemClock, systemRandom, systemTimers } from '@robustmq/environment';
import type { SharedJournal } from '@robustmq/journal';
import { connectJournal, registryPlaces } from '@robustmq/journal-client';
import { type FrameTransport, GrpcFrameTransport } from '@robustmq/node-link';
import type { Placement } from '@robustmq/placement';
import { connectPlacement } from '@robustmq/placement-client';
import { BROKER_NAMESPACE, openRegistries, type Registries } from '@robustmq/placement-registry';
import {
  type ChannelTls,
  defaultServerLimits,
  type MountedService,
  openRpcServer,
  readPem,
  type RpcObserver,
  type RpcServer,
  type ServerTls,
} from '@robustmq/rpc';
import { readFile } from 'node:fs/promises';
import type { BrokerSettings, ClusterPlace } from '../settings.ts';

/** The ways from one broker to all else in its cluster. Whoever connects closes. */
export interface ConnectedCluster {
  readonly placement: Placement;
  readonly registries: Registries;
  readonly journal: SharedJournal;
  readonly transport: FrameTransport;
  /** Where other brokers reach this one, `host:port`. */
  readonly innerAddress: string;
  close(): Promise<void>;
}

const CONNECT_MS = 2_000;
const DRAIN_MS = 500;

/**
 * Opens the port for other brokers. Towards the placement center and the journal servers nothing is sent
 * before it is needed.
 *
 * @throws RpcSetupError when a certificate or the port cannot be had; an error of the token's file
 */
export async function connectCluster(
  settings: BrokerSettings,
  place: ClusterPlace,
  serving: { readonly observer: RpcObserver; readonly operators: MountedService },
): Promise<ConnectedCluster> {
  const environment = { clock: systemClock, timers: systemTimers, random: systemRandom };
  const token = await readToken(place);
  const tls = await readTls(place);
  const channel = tls === null ? null : tls.channel;
  const placement = connectPlacement({
    servers: place.placementCenter,
    ...{ tls: channel, token, limits: null, ...environment },
  });
  const { clusterName } = settings;
  const registries = openRegistries(placement, { clusterName, random: systemRandom });
  const journal = connectJournal({
    places: registryPlaces({ registries, fallback: [], onServers: null, ...environment }),
    namespace: BROKER_NAMESPACE,
    ...{ tls: channel, token, limits: null, ...environment },
  });
  const transport = new GrpcFrameTransport({
    ...{ cluster: clusterName, self: settings.nodeId, tls: channel, token },
    frameBytesMax: place.frameBytesMax,
    connectMs: CONNECT_MS,
    ...{ timers: systemTimers, random: systemRandom },
  });
  const server = await serve(transport, {
    ...{ place, token, tls: tls?.server ?? null },
    ...serving,
  });
  return {
    ...{ placement, registries, journal, transport },
    innerAddress: `${place.brokerIp}:${server.port}`,
    close: async () => {
      await transport.close();
      await Promise.all([server.close(DRAIN_MS), journal.close()]);
      await placement.close();
    },
  };
}

function serve(
  transport: GrpcFrameTransport,
  from: {
    readonly place: ClusterPlace;
    readonly token: string | null;
    readonly tls: ServerTls | null;
    readonly observer: RpcObserver;
    readonly operators: MountedService;
  },
): Promise<RpcServer> {
  const { place, token, tls, observer, operators } = from;
  return openRpcServer({
    ...{ host: place.host, port: place.port, tls, clusterToken: token, observer },
    services: [transport.service(), operators],
    others: transport.sockets(),
    limits: { ...defaultServerLimits, messageBytesMax: place.frameBytesMax },
  });
}

async function readToken({ token }: ClusterPlace): Promise<string | null> {
  if (token === null) return null;
  if (token.kind === 'text') return token.text;
  const [first = ''] = (await readFile(token.path, 'utf8')).split('\n');
  const text = first.trim();
  if (text === '') throw new Error(`${token.path} holds no cluster token in its first line`);
  return text;
}

async function readTls({
  tls,
}: ClusterPlace): Promise<{ readonly server: ServerTls; readonly channel: ChannelTls } | null> {
  if (tls === null) return null;
  const certificate = await readPem(tls.certificateFile);
  const key = await readPem(tls.keyFile);
  const authority = tls.authorityFile === null ? null : await readPem(tls.authorityFile);
  return {
    server: { certificate, key, clientAuthority: authority },
    channel: { authority, own: { certificate, key }, serverName: null },
  };
}
