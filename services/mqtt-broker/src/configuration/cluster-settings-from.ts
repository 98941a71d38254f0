import {
  type Configuration,
  isLoopbackHost,
  type Problem,
  refusedCombination,
} from '@robustmq/config';
import type { ClusterPlace } from '../settings.ts';
import type { ConfiguredListener } from './listeners.ts';
import type { BrokerConfigurationValues } from './schema.ts';

const CALL_DEADLINE_MS = 5_000;

/** null: this broker stands alone. */
export function clusterPlaceFrom(
  values: BrokerConfigurationValues,
  listeners: readonly ConfiguredListener[],
): ClusterPlace | null {
  const { node, cluster, mqtt } = values;
  if (node.placement_center.length === 0) return null;
  const brokerIp = cluster.broker_ip === '' ? cluster.addr : cluster.broker_ip;
  const secured = cluster.tls_cert !== '';
  return {
    placementCenter: node.placement_center,
    host: cluster.addr,
    port: node.grpc_port === 'off' ? 0 : node.grpc_port,
    brokerIp,
    mqttAddress:
      cluster.advertised_listener === ''
        ? listenerAddress(brokerIp, listeners)
        : cluster.advertised_listener,
    leaseSeconds: Math.ceil(cluster.heartbeat_timeout_ms / 1000),
    subackWaitMs: cluster.suback_wait_ms,
    yieldWaitMs: cluster.yield_wait_ms,
    callDeadlineMs: CALL_DEADLINE_MS,
    linkBytesMax: cluster.link_bytes_max,
    // Both halves of what may wait, and one more message.
    frameBytesMax: 2 * cluster.link_bytes_max + mqtt.maximum_packet_size_bytes + 2 ** 20,
    serveWithoutPlacement: cluster.serve_without_placement,
    shards: {
      messages: cluster.message_shards,
      sessions: cluster.session_shards,
      retained: cluster.retained_shards,
    },
    shardReplicas: cluster.shard_replica_num,
    token: tokenOf(cluster.cluster_token_file, cluster.cluster_token),
    tls: secured
      ? {
          certificateFile: cluster.tls_cert,
          keyFile: cluster.tls_key,
          authorityFile: cluster.tls_ca === '' ? null : cluster.tls_ca,
        }
      : null,
  };
}

/** null: no listener has a port that is known beforehand. */
function listenerAddress(
  brokerIp: string,
  listeners: readonly ConfiguredListener[],
): string | null {
  for (const kind of ['tcp', 'tls']) {
    const found = listeners.find(({ options }) => options.kind === kind && options.port !== 0);
    if (found === undefined) continue;
    return `${brokerIp.includes(':') ? `[${brokerIp}]` : brokerIp}:${found.options.port}`;
  }
  return null;
}

/** What cannot work or must not be. */
export function clusterProblems(
  configuration: Configuration<BrokerConfigurationValues>,
): readonly Problem[] {
  const { node, cluster } = configuration.values;
  if (node.placement_center.length === 0) return [];
  const problems: Problem[] = [];
  const refuse = (key: string, message: string): void => {
    problems.push(refusedCombination(configuration, { key, message }));
  };
  if (node.grpc_port === 'off') {
    refuse('grpc_port', 'is "off", but the other brokers of a cluster connect to it');
  }
  if ((cluster.tls_cert === '') !== (cluster.tls_key === '')) {
    refuse('cluster.tls_key', 'goes with tls_cert: give both or none');
  }
  const hasToken = cluster.cluster_token !== '' || cluster.cluster_token_file !== '';
  if (!isLoopbackHost(cluster.addr) && !hasToken) {
    refuse(
      'cluster.addr',
      `is "${cluster.addr}": other machines could send messages as if they were brokers. ` +
        'Set cluster_token_file, or listen on 127.0.0.1',
    );
  }
  if (cluster.addr === '0.0.0.0' && cluster.broker_ip === '') {
    refuse(
      'cluster.broker_ip',
      'is empty, and addr = "0.0.0.0" tells nobody how to reach this broker',
    );
  }
  return problems;
}

function tokenOf(file: string, text: string): ClusterPlace['token'] {
  if (file !== '') return { kind: 'file', path: file };
  return text === '' ? null : { kind: 'text', text };
}
