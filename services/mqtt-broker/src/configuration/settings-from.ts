import type { Configuration, Problem } from '@robustmq/config';
import { fail, succeed } from '@robustmq/errors';
import type { Result } from '@robustmq/errors';
import type {
  AccessSettings,
  BrokerSettings,
  LimitSettings,
  ProtocolSettings,
} from '../settings.ts';
import type { AccessSection } from './access-section.ts';
import { clusterPlaceFrom, clusterProblems } from './cluster-settings-from.ts';
import { exposureProblems } from './exposure.ts';
import type { LimitsSection } from './limits-section.ts';
import { configuredListeners, listenerProblems } from './listeners.ts';
import { mediaProblems, mediaSettings } from './media.ts';
import type { ProtocolSection } from './protocol-section.ts';
import type { BrokerConfigurationValues } from './schema.ts';
import { workerProblems } from './worker-problems.ts';

/** What the machine offers; the edge that calls measures it. */
export interface MachineFacts {
  /** Memory that this process may use, a container's limit included. */
  readonly memoryBytes: number;
  /** Size of the file system that holds the data directory. */
  readonly diskBytes: number;
}

const MEMORY_BYTES_DEFAULT = 512 * 2 ** 20;
const DISK_FREE_BYTES_DEFAULT = 64 * 2 ** 20;

/**
 * Turns a checked configuration into what the broker is told.
 *
 * @param version  the version of this program, as clients and operators see it
 * @returns the settings, or every combination that cannot work or must not be
 */
export function brokerSettingsFrom(
  configuration: Configuration<BrokerConfigurationValues>,
  machine: MachineFacts,
  version: string,
): Result<BrokerSettings, readonly Problem[]> {
  const listeners = configuredListeners(configuration);
  const problems = [
    ...listenerProblems(listeners, configuration),
    ...exposureProblems(listeners, configuration),
    ...mediaProblems(configuration),
    ...clusterProblems(configuration),
    ...workerProblems(listeners, configuration),
  ];
  if (problems.length > 0) return fail(problems);
  const { node, storage, subscribe, system, ...sections } = configuration.values;
  return succeed({
    nodeId: node.broker_id,
    clusterName: node.cluster_name,
    workers: node.workers,
    version,
    listeners: listeners.map((listener) => listener.options),
    protocol: protocolSettings(sections.mqtt),
    limits: limitSettings(sections.limits, machine),
    storage: {
      kind: node.placement_center.length > 0 ? 'journal' : storage.storage_type,
      media: mediaSettings(configuration.values),
      directory: storage.directory,
      segmentBytesMax: storage.segment_bytes_max,
      journalBytesMax: storage.journal_bytes_max,
      diskFreeBytesMin:
        storage.disk_free_bytes_min === 'auto'
          ? Math.min(DISK_FREE_BYTES_DEFAULT, Math.floor(machine.diskBytes / 20))
          : storage.disk_free_bytes_min,
      readerLagBytesMax: storage.reader_lag_bytes_max,
      readerLagSecondsMax: storage.reader_lag_seconds_max,
      acknowledge: storage.acknowledge,
    },
    cluster: clusterPlaceFrom(configuration.values, listeners),
    access: accessSettings(sections.auth),
    sharedSubscriptions: { strategy: subscribe.shared_subscription_strategy },
    http: {
      enabled: node.http_port !== 'off',
      host: node.http_host,
      port: node.http_port === 'off' ? 0 : node.http_port,
    },
    sysTopics: {
      enabled: system.sys_topics,
      intervalSeconds: system.sys_topics_interval_seconds,
    },
    warmUpMs: system.warm_up_ms,
    drainTimeoutMs: system.drain_timeout_ms,
  });
}

const PROTOCOL_LEVELS: Readonly<Record<ProtocolSection['minimum_version'], 3 | 4 | 5>> = {
  '3.1': 3,
  '3.1.1': 4,
  '5.0': 5,
};

function protocolSettings(section: ProtocolSection): ProtocolSettings {
  return {
    minimumVersion: PROTOCOL_LEVELS[section.minimum_version],
    maximumQos: section.maximum_qos === 0 ? 0 : section.maximum_qos === 1 ? 1 : 2,
    retainAvailable: section.retain_available,
    wildcardSubscriptionAvailable: section.wildcard_subscription_available,
    subscriptionIdentifiersAvailable: section.subscription_identifiers_available,
    sharedSubscriptionAvailable: section.shared_subscription_available,
    maximumPacketSizeBytes: section.maximum_packet_size_bytes,
    receiveMaximum: section.receive_maximum,
    topicAliasMaximum: section.topic_alias_maximum,
    topicAliasMaximumOutbound: section.topic_alias_maximum_outbound,
    serverKeepAliveSeconds: section.server_keep_alive_seconds,
    keepAliveSecondsMax: section.keep_alive_seconds_max,
    sessionExpirySecondsMax: section.session_expiry_seconds_max,
    messageExpirySecondsMax: section.message_expiry_seconds_max,
    responseInformation: section.response_information,
    refusedSubscriptions: section.refused_subscriptions,
  };
}

function limitSettings(section: LimitsSection, machine: MachineFacts): LimitSettings {
  return {
    connectTimeoutMs: section.connect_timeout_ms,
    topicLevelsMax: section.topic_levels_max,
    topicBytesMax: section.topic_bytes_max,
    clientIdBytesMax: section.client_id_bytes_max,
    filtersPerSubscribeMax: section.filters_per_subscribe_max,
    subscriptionsPerClientMax: section.subscriptions_per_client_max,
    userPropertiesPerPacketMax: section.user_properties_per_packet_max,
    sessionsMax: section.sessions_max,
    inflightMessagesMax: section.inflight_messages_max,
    inflightBytesMax: section.inflight_bytes_max,
    queuedMessagesMax: section.queued_messages_max,
    queuedBytesMax: section.queued_bytes_max,
    outputBytesMax: section.output_bytes_max,
    memoryBytesMax:
      section.memory_bytes_max === 'auto'
        ? Math.min(MEMORY_BYTES_DEFAULT, Math.floor(machine.memoryBytes / 4))
        : section.memory_bytes_max,
    retainedMessagesMax: section.retained_messages_max,
    retainedBytesMax: section.retained_bytes_max,
    connectionsPerSecondPerAddressMax: section.connections_per_second_per_address_max,
    connectsDecidingMax: section.connects_deciding_max,
    connectsWaitingMax: section.connects_waiting_max,
    publishesPerSecondPerClientMax: section.publishes_per_second_per_client_max,
    publishBytesPerSecondPerClientMax: section.publish_bytes_per_second_per_client_max,
  };
}

function accessSettings(section: AccessSection): AccessSettings {
  return {
    allowAnonymousRemote: section.allow_anonymous_remote,
    allowAnonymousLoopback: section.allow_anonymous_loopback,
    passwordFile: section.password_file === '' ? null : section.password_file,
    rulesFile: section.rules_file === '' ? null : section.rules_file,
    defaultVerdict: section.default_verdict,
    sysTopicsForAnonymousRemote: section.sys_topics_for_anonymous_remote,
    certificateAsUsername: section.certificate_as_username,
  };
}
