import {
  type Configuration,
  exposureFaults,
  type KeyFault as Fault,
  type Problem,
  tlsFaults,
} from '@robustmq/config';
import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import { credentialSettingsFrom } from '@robustmq/rpc';
import type { PlacementCenterSettings, RaftSettings } from '../settings.ts';
import type { NodeSection } from './node-section.ts';
import type { RaftSection } from './raft-section.ts';
import type { PlacementCenterValues } from './schema.ts';

/** The number of elections that must not fit into one heartbeat. */
const HEARTBEATS_PER_ELECTION_MIN = 3;

/**
 * Turns a checked configuration into what the process is told.
 *
 * @param version  of this program, as operators see it
 * @returns the settings, or every combination that cannot work or must not be
 */
export function placementCenterSettingsFrom(
  configuration: Configuration<PlacementCenterValues>,
  version: string,
): Result<PlacementCenterSettings, readonly Problem[]> {
  const { node, raft, tls, etcd } = configuration.values;
  const faults = [
    ...(node.backend === 'raft' ? memberFaults(node) : etcdFaults(etcd.endpoints)),
    ...raftFaults(raft),
    ...tlsFaults(tls),
    ...exposureFaults(node, tls, 'the placement center'),
  ];
  if (faults.length > 0) return fail(faults.map((fault) => problemOf(configuration, fault)));
  return succeed({
    clusterName: node.cluster_name,
    nodeId: node.node_id,
    version,
    directory: node.data_path,
    grpc: { host: node.addr, port: node.grpc_port },
    http: {
      enabled: node.http_port !== 'off',
      host: node.http_host,
      port: node.http_port === 'off' ? 0 : node.http_port,
    },
    nodes: new Map(Object.entries(node.nodes).map(([id, address]) => [Number(id), address])),
    start: node.join ? 'join' : 'found',
    backend:
      node.backend === 'raft' ? { kind: 'raft' } : { kind: 'etcd', endpoints: etcd.endpoints },
    leaseCheckMs: node.heartbeat_check_time_ms,
    nodeTtlSeconds: Math.ceil(node.heartbeat_timeout_ms / 1000),
    journalServerLostAfterMs: node.journal_server_lost_after_ms,
    raft: raftSettings(raft),
    ...credentialSettingsFrom(tls, node),
  });
}

function problemOf(
  configuration: Configuration<PlacementCenterValues>,
  { key, message }: Fault,
): Problem {
  const origin = configuration.originOf(key);
  return { severity: 'error', code: 'CONFIG_COMBINATION_REFUSED', origin, key, message };
}

function memberFaults(node: NodeSection): readonly Fault[] {
  const faults: Fault[] = [];
  const addresses = new Map<string, string>();
  for (const [id, address] of Object.entries(node.nodes)) {
    if (!/^[1-9]\d{0,4}$/.test(id) || Number(id) > 65535) {
      faults.push({
        key: 'nodes',
        message: `names "${id}", expected node numbers from 1 to 65535`,
      });
    }
    if (!/^(\[[0-9a-f:.]+\]|[^:\s]+):\d{1,5}$/i.test(address)) {
      faults.push({
        key: 'nodes',
        message: `has "${address}" for node ${id}, expected "host:port"`,
      });
    }
    const other = addresses.get(address);
    if (other !== undefined) {
      faults.push({
        key: 'nodes',
        message: `has ${address} for node ${other} and for node ${id}: each member has its own address`,
      });
    }
    addresses.set(address, id);
  }
  return [...faults, ...ownEntryFaults(node)];
}

function ownEntryFaults(node: NodeSection): readonly Fault[] {
  const own = node.nodes[String(node.node_id)];
  const known = Object.keys(node.nodes);
  if (node.join) {
    const others = known.filter((id) => id !== String(node.node_id));
    if (others.length > 0) return [];
    return [{ key: 'nodes', message: 'names no other member, but join = true needs one to ask' }];
  }
  if (own === undefined) {
    return [
      {
        key: 'nodes',
        message:
          `names ${known.length === 0 ? 'nobody' : `the members ${known.join(', ')}`}, and node_id = ${String(node.node_id)} is not among them. ` +
          'Add this member, or set join = true if it joins a cluster that exists',
      },
    ];
  }
  const port = Number(own.slice(own.lastIndexOf(':') + 1));
  if (node.grpc_port === 0 || port === node.grpc_port) return [];
  return [
    {
      key: 'grpc_port',
      message: `is ${String(node.grpc_port)}, but nodes tells the others to reach this member at ${own}`,
    },
  ];
}

function etcdFaults(endpoints: readonly string[]): readonly Fault[] {
  if (endpoints.length > 0) return [];
  return [{ key: 'etcd.endpoints', message: 'is empty, but backend = "etcd" needs one' }];
}

function raftFaults(raft: RaftSection): readonly Fault[] {
  if (raft.election_timeout_ms >= raft.heartbeat_ms * HEARTBEATS_PER_ELECTION_MIN) return [];
  return [
    {
      key: 'raft.election_timeout_ms',
      message: `is ${String(raft.election_timeout_ms)}, expected at least ${String(HEARTBEATS_PER_ELECTION_MIN)} times heartbeat_ms (${String(raft.heartbeat_ms)})`,
    },
  ];
}

function raftSettings(raft: RaftSection): RaftSettings {
  const ticks = (milliseconds: number): number =>
    Math.max(1, Math.ceil(milliseconds / raft.tick_ms));
  return {
    tickMs: raft.tick_ms,
    electionTimeoutTicks: Math.max(
      ticks(raft.election_timeout_ms),
      HEARTBEATS_PER_ELECTION_MIN * ticks(raft.heartbeat_ms),
    ),
    heartbeatTicks: ticks(raft.heartbeat_ms),
    reads: raft.reads,
    logBytesMax: raft.log_bytes_max,
    logEntriesMax: raft.log_entries_max,
    slackEntries: raft.log_entries_kept,
  };
}
