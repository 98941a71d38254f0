import type { CallOptions } from '@robustmq/placement';
import type { NodeRecord, Registries } from '@robustmq/placement-registry';
import type { broker } from '@robustmq/rpc';
import { CommandError, ExitCode } from '../exit-code.ts';
import { note, print, table } from '../output.ts';
import type { ClusterFlags, ListFlags } from './cluster-flags.ts';
import { brokerOf, onBroker } from './on-broker.ts';
import { timeText } from './run-lists.ts';
import { withRegistries } from './with-registries.ts';

const PAGE = 500;

/** The flags of `client list`. */
export interface ClientListFlags extends ListFlags {
  readonly broker?: number;
}

/**
 * `client list`: who is connected, broker by broker. A broker that does not answer is told at the end, when
 * the others have been listed.
 */
export function runClientList(flags: ClientListFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const begin = placeFrom(flags.after);
    const brokers = await brokersOf(registries, flags.broker, call);
    const rows: (readonly string[])[] = [];
    const failed: CommandError[] = [];
    let left = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    let next: Place | null = null;
    for (const node of brokers) {
      const { nodeId } = node;
      if (nodeId < begin.nodeId) continue;
      if (left === 0) {
        next ??= { nodeId, after: 0 };
        break;
      }
      const after = nodeId === begin.nodeId ? begin.after : 0;
      const show = (client: broker.Client): void => {
        left -= 1;
        if (flags.output === 'json') print(JSON.stringify({ broker: nodeId, ...client }));
        else rows.push(rowOf(nodeId, client));
      };
      try {
        const rest = await clientsOf(flags, node, { after, most: left, call, show });
        if (rest > 0) next = { nodeId, after: rest };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        failed.push(error);
      }
    }
    if (flags.output !== 'json') print(table(HEADING, rows));
    if (next !== null) {
      note(`there are more: --after ${next.nodeId}:${next.after}, or --limit 0`);
    }
    const [first] = failed;
    if (first !== undefined) throw first;
  });
}

/** `client kick`: ends the connection of a client, wherever it is. */
export function runClientKick(clientId: string, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const brokers = await brokersOf(registries, undefined, call);
    const failed: CommandError[] = [];
    for (const node of brokers) {
      try {
        const { kicked } = await onBroker(flags, node, (on) => on.kickClient({ clientId }, call));
        if (!kicked) continue;
        const { nodeId } = node;
        print(
          flags.output === 'json'
            ? JSON.stringify({ clientId, broker: nodeId })
            : `closed on broker ${nodeId}`,
        );
        return;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        failed.push(error);
      }
    }
    const [first] = failed;
    if (first !== undefined) throw first;
    const message = `no client ${JSON.stringify(clientId)} is connected`;
    throw new CommandError(ExitCode.failed, message);
  });
}

const HEADING = ['broker', 'client', 'address', 'protocol', 'user', 'connected since'];
const PROTOCOLS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' };

function rowOf(nodeId: number, client: broker.Client): readonly string[] {
  return [
    String(nodeId),
    client.clientId,
    client.remoteAddress,
    PROTOCOLS[client.protocolLevel] ?? String(client.protocolLevel),
    client.userName === '' ? '-' : client.userName,
    timeText(client.connectedAtMs),
  ];
}

/** @returns where this broker's list goes on; 0: it is at its end */
async function clientsOf(
  flags: ClusterFlags,
  node: NodeRecord,
  list: {
    readonly after: number;
    readonly most: number;
    readonly call: CallOptions;
    show(client: broker.Client): void;
  },
): Promise<number> {
  return await onBroker(flags, node, async (on) => {
    let { after, most } = list;
    while (most > 0) {
      const limit = Math.min(PAGE, most);
      const { clients, next } = await on.listClients({ after, limit }, list.call);
      for (const client of clients) list.show(client);
      most -= clients.length;
      if (next === 0) return 0;
      after = next;
    }
    return after;
  });
}

async function brokersOf(
  registries: Registries,
  only: number | undefined,
  call: CallOptions,
): Promise<readonly NodeRecord[]> {
  if (only !== undefined) return [await brokerOf(registries, only, call)];
  const brokers = await registries.nodes.listAll('mqtt-broker', call);
  if (brokers.length > 0) return brokers;
  throw new CommandError(ExitCode.unavailable, 'no broker is registered');
}

/** Where a list goes on: the broker, and the connection there. */
interface Place {
  readonly nodeId: number;
  readonly after: number;
}

/** @throws CommandError `usage` */
function placeFrom(text: string | undefined): Place {
  if (text === undefined) return { nodeId: 0, after: 0 };
  const [, nodeId, after] = /^(\d{1,9}):(\d{1,15})$/.exec(text) ?? [];
  if (nodeId !== undefined) return { nodeId: Number(nodeId), after: Number(after) };
  throw new CommandError(ExitCode.usage, `--after ${text}: expected what a list before has said`);
}
