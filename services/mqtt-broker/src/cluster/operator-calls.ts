import {
  type broker,
  mount,
  mqttBrokerService,
  type MountedService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import { ReasonCode } from '@robustmq/mqtt-codec';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientConnection } from '../connection/client-connection.ts';
import { type BrokerDrain, NobodyTakesClients } from './broker-drain.ts';

/** LIMIT: clientsPerPageMax */
const CLIENTS_PER_PAGE_MAX = 1000;
const CLIENTS_PER_SECOND_DEFAULT = 200;

/**
 * What operators do with this broker over gRPC: translates, decides nothing.
 *
 * @param drainOf  null while the broker is still joining
 */
export function mountOperatorCalls(
  context: BrokerContext,
  drainOf: () => BrokerDrain | null,
): MountedService {
  const opened = (): BrokerDrain => {
    const drain = drainOf();
    if (drain === null) throw refusal(rpcStatus.UNAVAILABLE, 'the broker is still starting');
    return drain;
  };
  return mount(mqttBrokerService, {
    listClients: async (request) => pageOf(context, request),
    kickClient: async ({ clientId }) => {
      const connection = context.sessions.find(clientId)?.connection ?? null;
      connection?.close(ReasonCode.administrativeAction, 'closed by an operator');
      return { kicked: connection !== null };
    },
    drain: async ({ clientsPerSecond, toBroker, permanent }) => {
      const drain = opened();
      try {
        await drain.begin({
          clientsPerSecond: clientsPerSecond === 0 ? CLIENTS_PER_SECOND_DEFAULT : clientsPerSecond,
          toBroker: toBroker === 0 ? null : toBroker,
          lasts: permanent ? 'for good' : 'for now',
        });
      } catch (error) {
        if (!(error instanceof NobodyTakesClients)) throw error;
        throw refusal(rpcStatus.FAILED_PRECONDITION, error.message);
      }
      return drain.progress;
    },
    undrain: async () => {
      const drain = opened();
      await drain.end();
      return drain.progress;
    },
    getDrain: async () => opened().progress,
  });
}

/** Connections are numbered as they are made, and the set keeps that order. */
function pageOf(
  context: BrokerContext,
  { after, limit }: broker.ListClientsRequest,
): broker.ListClientsReply {
  const most = Math.min(limit === 0 ? CLIENTS_PER_PAGE_MAX : limit, CLIENTS_PER_PAGE_MAX);
  const clients: broker.Client[] = [];
  let last = 0;
  for (const connection of context.connections) {
    if (connection.number <= after || connection.phase !== 'connected') continue;
    if (clients.length === most) return { clients, next: last };
    clients.push(describe(connection));
    last = connection.number;
  }
  return { clients, next: 0 };
}

function describe(connection: ClientConnection): broker.Client {
  const { context, session, transport, version, acceptedTick } = connection;
  return {
    clientId: session?.clientId ?? '',
    userName: session?.identity.username ?? '',
    remoteAddress: `${bracketed(transport.remoteAddress)}:${transport.remotePort}`,
    protocolLevel: version,
    connectedAtMs: context.clock.nowMs() - (context.tick - acceptedTick) * 1000,
    listener: transport.listener.name,
    subscriptions: session?.subscriptions.size ?? 0,
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
