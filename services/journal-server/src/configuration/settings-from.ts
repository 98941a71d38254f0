import {
  type Configuration,
  exposureFaults,
  type KeyFault,
  type Problem,
  tlsFaults,
} from '@robustmq/config';
import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import { credentialSettingsFrom } from '@robustmq/rpc';
import type { JournalServerSettings, RaftTimes } from '../settings.ts';
import type { NodeSection } from './node-section.ts';
import type { RaftSection } from './raft-section.ts';
import type { JournalServerValues } from './schema.ts';

/** The number of elections that must not fit into one heartbeat. */
const HEARTBEATS_PER_ELECTION_MIN = 3;

/**
 * Turns a checked configuration into what the process is told.
 *
 * @param version  of this program, as operators see it
 * @returns the settings, or every combination that cannot work or must not be
 */
export function journalServerSettingsFrom(
  configuration: Configuration<JournalServerValues>,
  version: string,
): Result<JournalServerSettings, readonly Problem[]> {
  const { node, raft, tls } = configuration.values;
  const faults = [
    ...nodeFaults(node),
    ...raftFaults(raft),
    ...tlsFaults(tls),
    ...exposureFaults(node, tls, 'the journal'),
  ];
  if (faults.length > 0) return fail(faults.map((fault) => problemOf(configuration, fault)));
  return succeed({
    clusterName: node.cluster_name,
    nodeId: node.node_id,
    version,
    directory: node.data_path[0] ?? '',
    grpc: { host: node.addr, port: node.grpc_port },
    http: {
      enabled: node.prometheus_port !== 'off',
      host: node.http_host,
      port: node.prometheus_port === 'off' ? 0 : node.prometheus_port,
    },
    nodes: new Map(Object.entries(node.nodes).map(([id, address]) => [Number(id), address])),
    placementCenter: node.placement_center,
    nodeTtlSeconds: Math.ceil(node.heartbeat_timeout_ms / 1000),
    raft: raftTimes(raft),
    segmentBytesMax: node.segment_bytes_max,
    diskFreeBytesMin: node.disk_free_bytes_min,
    cacheBytesMax: node.cache_bytes_max,
    scrubBytesPerSecond: node.scrub_bytes_per_second,
    ...credentialSettingsFrom(tls, node),
  });
}

function problemOf(
  configuration: Configuration<JournalServerValues>,
  { key, message }: KeyFault,
): Problem {
  const origin = configuration.originOf(key);
  return { severity: 'error', code: 'CONFIG_COMBINATION_REFUSED', origin, key, message };
}

function nodeFaults(node: NodeSection): readonly KeyFault[] {
  const faults: KeyFault[] = [];
  for (const [id, address] of Object.entries(node.nodes)) {
    if (!/^[1-9]\d{0,4}$/.test(id) || Number(id) > 65535) {
      faults.push({
        key: 'nodes',
        message: `names "${id}", expected node numbers from 1 to 65535`,
      });
    }
    if (!isAddress(address)) {
      faults.push({
        key: 'nodes',
        message: `has "${address}" for node ${id}, expected "host:port"`,
      });
    }
  }
  if (node.placement_center.length === 0) {
    faults.push({ key: 'placement_center', message: 'is empty: name a member of it' });
  }
  for (const address of node.placement_center) {
    if (isAddress(address)) continue;
    faults.push({ key: 'placement_center', message: `has "${address}", expected "host:port"` });
  }
  if (node.data_path.length !== 1 || node.data_path[0] === '') {
    const count = String(node.data_path.length);
    faults.push({ key: 'data_path', message: `names ${count} directories, expected one` });
  }
  return [...faults, ...ownAddressFaults(node)];
}

function ownAddressFaults(node: NodeSection): readonly KeyFault[] {
  const own = node.nodes[String(node.node_id)];
  if (own === undefined || node.grpc_port === 0) return [];
  if (Number(own.slice(own.lastIndexOf(':') + 1)) === node.grpc_port) return [];
  const message = `is ${String(node.grpc_port)}, but nodes tells the others to reach this server at ${own}`;
  return [{ key: 'grpc_port', message }];
}

function isAddress(text: string): boolean {
  return /^(\[[0-9a-f:.]+\]|[^:\s]+):\d{1,5}$/i.test(text);
}

function raftFaults(raft: RaftSection): readonly KeyFault[] {
  if (raft.election_timeout_ms >= raft.heartbeat_ms * HEARTBEATS_PER_ELECTION_MIN) return [];
  return [
    {
      key: 'raft.election_timeout_ms',
      message: `is ${String(raft.election_timeout_ms)}, expected at least ${String(HEARTBEATS_PER_ELECTION_MIN)} times heartbeat_ms (${String(raft.heartbeat_ms)})`,
    },
  ];
}

function raftTimes(raft: RaftSection): RaftTimes {
  const ticks = (milliseconds: number): number =>
    Math.max(1, Math.ceil(milliseconds / raft.tick_ms));
  return {
    tickMs: raft.tick_ms,
    electionTimeoutTicks: Math.max(
      ticks(raft.election_timeout_ms),
      HEARTBEATS_PER_ELECTION_MIN * ticks(raft.heartbeat_ms),
    ),
    heartbeatTicks: ticks(raft.heartbeat_ms),
  };
}
