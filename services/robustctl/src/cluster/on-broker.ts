import type { CallOptions } from '@robustmq/placement';
import type { NodeRecord, Registries } from '@robustmq/placement-registry';
import {
  type broker,
  defaultChannelLimits,
  mqttBrokerService,
  openChannel,
  RpcError,
  rpcStatus,
  type ServiceClient,
} from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import { connectionFrom } from '../placement/connection.ts';
import type { ClusterFlags } from './cluster-flags.ts';

export type BrokerClient = ServiceClient<broker.MqttBrokerMethods>;

/** Calls one broker where it is registered, with the same token and TLS. @throws CommandError */
export async function onBroker<Reply>(
  flags: ClusterFlags,
  { nodeId, innerAddress }: NodeRecord,
  call: (client: BrokerClient) => Promise<Reply>,
): Promise<Reply> {
  const { tls, token } = connectionFrom(flags);
  const limits = defaultChannelLimits;
  const channel = openChannel({ address: innerAddress, tls, token, limits });
  try {
    return await call(channel.clientOf(mqttBrokerService));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const where = `broker ${nodeId} at ${innerAddress}`;
    throw new CommandError(exitCodeOf(error), `${where}: ${error.message}`, { cause: error });
  } finally {
    channel.close();
  }
}

/** The broker of this number. @throws CommandError when it is not alive */
export async function brokerOf(
  registries: Registries,
  nodeId: number,
  call: CallOptions,
): Promise<NodeRecord> {
  const stored = await registries.nodes.read({ clusterType: 'mqtt-broker', nodeId }, call);
  if (stored !== null) return stored.value;
  throw new CommandError(ExitCode.unavailable, `broker ${nodeId} is not registered`);
}

function exitCodeOf({ status }: RpcError): ExitCode {
  switch (status) {
    case rpcStatus.UNAVAILABLE:
    case rpcStatus.UNIMPLEMENTED:
      return ExitCode.unavailable;
    case rpcStatus.DEADLINE_EXCEEDED:
      return ExitCode.timedOut;
    case rpcStatus.UNAUTHENTICATED:
    case rpcStatus.PERMISSION_DENIED:
      return ExitCode.accessDenied;
    default:
      return ExitCode.failed;
  }
}
