import {
  CLUSTER_TYPES,
  decodeNotice,
  decodeServerNotice,
  type NodeRecord,
  type Registries,
} from '@robustmq/placement-registry';
import type { CallOptions } from '@robustmq/placement';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import { timeText } from './run-lists.ts';
import { withRegistries } from './with-registries.ts';

/** `cluster nodes`: every process that is registered now. */
export function runNodes(flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const nodes = await allNodes(registries, call);
    if (flags.output === 'json') {
      for (const node of nodes) print(JSON.stringify(node));
      return;
    }
    const rows = nodes.map((node) => [
      node.clusterType,
      String(node.nodeId),
      node.innerAddress,
      String(node.incarnation),
      timeText(node.registeredAtMs),
      remarkOn(node),
    ]);
    print(table(['role', 'node', 'address', 'incarnation', 'since', ''], rows));
  });
}

/** `cluster status`: how many of each, and how many sessions, shards. */
export function runStatus(flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const status = await statusOf(registries, call);
    if (flags.output === 'json') print(JSON.stringify(status));
    else {
      print(`journal servers  ${listText(status.journalServers)}`);
      print(`brokers          ${listText(status.brokers)}`);
      print(`shards           ${status.shards} (${status.shardsLed} with a leader)`);
    }
  });
}

/** `cluster health`: exit code 0 when everything is there that a cluster needs; else what is missing. */
export function runHealth(flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const status = await statusOf(registries, call);
    const problems: string[] = [];
    if (status.brokers.length === 0) problems.push('no broker is registered');
    if (status.journalServers.length === 0) problems.push('no journal server is registered');
    for (const name of status.leaderless) problems.push(`shard ${name} has no leader`);
    for (const { name, missing } of status.incomplete) {
      problems.push(`shard ${name} lacks its replica on journal server ${missing.join(', ')}`);
    }
    if (flags.output === 'json')
      print(JSON.stringify({ healthy: problems.length === 0, problems }));
    else if (problems.length === 0) print('healthy');
    else for (const problem of problems) print(problem);
    if (problems.length > 0) {
      throw new CommandError(ExitCode.failed, `not healthy: ${problems.length} problem(s)`);
    }
  });
}

interface ClusterStatus {
  readonly journalServers: readonly number[];
  readonly brokers: readonly number[];
  readonly shards: number;
  readonly shardsLed: number;
  readonly leaderless: readonly string[];
  readonly incomplete: readonly { readonly name: string; readonly missing: readonly number[] }[];
}

async function statusOf(registries: Registries, call: CallOptions): Promise<ClusterStatus> {
  const journal = await registries.nodes.listAll('journal-server', call);
  const brokers = await registries.nodes.listAll('mqtt-broker', call);
  const alive = new Set(journal.map(({ nodeId }) => nodeId));
  const shards = (await registries.shards.list(null, { after: null, limit: 1000 }, call)).items;
  const states = (await registries.shardStates.list(null, { after: null, limit: 1000 }, call))
    .items;
  const led = new Set(
    states.filter(({ value }) => alive.has(value.leader)).map(({ value }) => value.groupId),
  );
  const leaderless = shards.filter(({ value }) => !led.has(value.groupId));
  const incomplete = shards
    .map(({ value }) => ({
      name: value.shard,
      missing: value.replicas.filter((nodeId) => !alive.has(nodeId)),
    }))
    .filter(({ missing }) => missing.length > 0);
  return {
    journalServers: [...alive],
    brokers: brokers.map(({ nodeId }) => nodeId),
    shards: shards.length,
    shardsLed: shards.length - leaderless.length,
    leaderless: leaderless.map(({ value }) => value.shard),
    incomplete,
  };
}

async function allNodes(registries: Registries, call: CallOptions): Promise<NodeRecord[]> {
  const nodes: NodeRecord[] = [];
  for (const type of CLUSTER_TYPES) nodes.push(...(await registries.nodes.listAll(type, call)));
  return nodes;
}

function listText(nodes: readonly number[]): string {
  return nodes.length === 0 ? 'none' : `${nodes.length}: ${nodes.join(', ')}`;
}

/** What an operator should know about a node at a glance. */
function remarkOn({ clusterType, extendInfo }: NodeRecord): string {
  if (clusterType === 'journal-server') {
    return decodeServerNotice(extendInfo).diskFull ? 'its disk is full' : '';
  }
  return decodeNotice(extendInfo).draining ? 'being drained' : '';
}
