import {
  type Configuration,
  exposureFaults,
  type KeyFault,
  nodesFaults,
  ownPortFaults,
  type Problem,
  raftTimeFaults,
  raftTimesFrom,
  refusedCombination,
  tlsFaults,
} from '@robustmq/config';
import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import { credentialSettingsFrom } from '@robustmq/rpc';
import type { PlacementCenterSettings, RaftSettings } from '../settings.ts';
import type { NodeSection } from './node-section.ts';
import type { RaftSection } from './raft-section.ts';
import type { PlacementCenterValues } from './schema.ts';

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
    ...raftTimeFaults(raft),
    ...tlsFaults(tls),
    ...exposureFaults(node, tls, 'the placement center'),
  ];
  if (faults.length > 0)
    return fail(faults.map((fault) => refusedCombination(configuration, fault)));
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

function memberFaults(node: NodeSection): readonly KeyFault[] {
  const faults: KeyFault[] = [...nodesFaults(node.nodes)];
  const addresses = new Map<string, string>();
  for (const [id, address] of Object.entries(node.nodes)) {
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

function ownEntryFaults(node: NodeSection): readonly KeyFault[] {
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
  return ownPortFaults(node.grpc_port, own, 'this member');
}

function etcdFaults(endpoints: readonly string[]): readonly KeyFault[] {
  if (endpoints.length > 0) return [];
  return [{ key: 'etcd.endpoints', message: 'is empty, but backend = "etcd" needs one' }];
}

function raftSettings(raft: RaftSection): RaftSettings {
  return {
    ...raftTimesFrom(raft),
    reads: raft.reads,
    logBytesMax: raft.log_bytes_max,
    logEntriesMax: raft.log_entries_max,
    slackEntries: raft.log_entries_kept,
  };
}
