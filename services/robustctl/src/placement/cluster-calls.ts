import { PlacementError } from '@robustmq/placement';
import {
  type cluster,
  clusterService,
  defaultChannelLimits,
  openChannel,
  RpcError,
  rpcStatus,
  type ServiceClient,
} from '@robustmq/rpc';
import { callFailure } from './call-failure.ts';
import type { ServerConnection } from './connection.ts';

export type ClusterClient = ServiceClient<cluster.ClusterMethods>;

/** Pause before asking again while there is no leader. */
const ASK_AGAIN_MS = 200;

/** Calls one member. @throws CommandError */
export async function onMember<Reply>(
  connection: ServerConnection,
  address: string,
  call: (client: ClusterClient) => Promise<Reply>,
): Promise<Reply> {
  try {
    return await onChannel(connection, address, call);
  } catch (error) {
    throw callFailure(error, { ...connection, servers: [address] });
  }
}

/**
 * Calls the leader with something idempotent: asks one member after the other, and goes where they send it, until the time is
 * over. @throws CommandError
 */
export async function onLeader<Reply>(
  connection: ServerConnection,
  call: (client: ClusterClient) => Promise<Reply>,
): Promise<Reply> {
  const endMs = performance.now() + connection.call.deadlineMs;
  for (let turn = 0; ; turn += 1) {
    const address = connection.servers[turn % connection.servers.length] ?? '';
    const failure = await attempt(connection, address, call);
    if ('reply' in failure) return failure.reply;
    const isOver = performance.now() + ASK_AGAIN_MS > endMs;
    if (!failure.again || isOver) throw callFailure(failure.error, connection);
    if ((turn + 1) % connection.servers.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}

type Attempt<Reply> =
  | { readonly reply: Reply }
  | { readonly error: unknown; readonly again: boolean };

async function attempt<Reply>(
  connection: ServerConnection,
  address: string,
  call: (client: ClusterClient) => Promise<Reply>,
): Promise<Attempt<Reply>> {
  try {
    return { reply: await onChannel(connection, address, call) };
  } catch (error) {
    const leader = leaderIn(error);
    if (leader === undefined) return { error, again: mayAskAgain(error) };
    if (leader === null) return { error, again: true };
    try {
      return { reply: await onChannel(connection, leader, call) };
    } catch (second) {
      return { error: second, again: mayAskAgain(second) || leaderIn(second) !== undefined };
    }
  }
}

/** Where a member says the leader is; null: nobody leads; undefined: that is not what went wrong. */
function leaderIn(error: unknown): string | null | undefined {
  const fault =
    error instanceof RpcError ? error.fault : error instanceof PlacementError ? error.fault : null;
  return fault?.code === 'PLACEMENT_NOT_LEADER' ? fault.leader : undefined;
}

const ASKED_AGAIN: readonly string[] = [
  'PLACEMENT_UNAVAILABLE',
  'PLACEMENT_OVERLOADED',
  'PLACEMENT_OUTCOME_UNKNOWN',
];

/** Asking again does no harm: nothing happened, or it is the same the second time. */
function mayAskAgain(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  if (error.fault !== null && ASKED_AGAIN.includes(error.fault.code)) return true;
  return error.sent === 'no' || (error.fault === null && error.status === rpcStatus.UNAVAILABLE);
}

async function onChannel<Reply>(
  { tls, token }: ServerConnection,
  address: string,
  call: (client: ClusterClient) => Promise<Reply>,
): Promise<Reply> {
  const channel = openChannel({ address, tls, token, limits: defaultChannelLimits });
  try {
    return await call(channel.clientOf(clusterService));
  } finally {
    channel.close();
  }
}
