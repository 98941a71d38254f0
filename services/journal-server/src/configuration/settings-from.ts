import {
  type Configuration,
  exposureFaults,
  isHostAndPort,
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
import type { JournalServerSettings } from '../settings.ts';
import type { NodeSection } from './node-section.ts';
import type { JournalServerValues } from './schema.ts';

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
    ...raftTimeFaults(raft),
    ...tlsFaults(tls),
    ...exposureFaults(node, tls, 'the journal'),
  ];
  if (faults.length > 0)
    return fail(faults.map((fault) => refusedCombination(configuration, fault)));
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
    raft: raftTimesFrom(raft),
    segmentBytesMax: node.segment_bytes_max,
    diskFreeBytesMin: node.disk_free_bytes_min,
    cacheBytesMax: node.cache_bytes_max,
    scrubBytesPerSecond: node.scrub_bytes_per_second,
    ...credentialSettingsFrom(tls, node),
  });
}

function nodeFaults(node: NodeSection): readonly KeyFault[] {
  const faults: KeyFault[] = [...nodesFaults(node.nodes)];
  if (node.placement_center.length === 0) {
    faults.push({ key: 'placement_center', message: 'is empty: name a member of it' });
  }
  for (const address of node.placement_center) {
    if (isHostAndPort(address)) continue;
    faults.push({ key: 'placement_center', message: `has "${address}", expected "host:port"` });
  }
  if (node.data_path.length !== 1 || node.data_path[0] === '') {
    const count = String(node.data_path.length);
    faults.push({ key: 'data_path', message: `names ${count} directories, expected one` });
  }
  const own = node.nodes[String(node.node_id)];
  if (own !== undefined) faults.push(...ownPortFaults(node.grpc_port, own, 'this server'));
  return faults;
}
