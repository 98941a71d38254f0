import { type KeyDeclaration, nearestName, type ValueFault } from '@robustmq/config';
import { type Result, succeed } from '@robustmq/errors';
import type { BrokerSettings, LimitSettings, ProtocolSettings } from '../settings.ts';
import { type LimitsSection, limitsSection } from './limits-section.ts';
import { type ProtocolSection, protocolSection } from './protocol-section.ts';

/**
 * A key that may be set for all brokers of a cluster at once, in the placement center: it goes before what
 * their files say, and holds at once.
 */
export interface ClusterWideKey {
  /** As in a file: section, dot, key. */
  readonly name: string;
  readonly meaning: string;
  /** Continues "expected …". */
  readonly range: string;
  /** What is wrong with the text, as a continuation of "expected …"; null: nothing. */
  expectedInsteadOf(text: string): string | null;
  /** The settings with this value instead, or what was expected. */
  apply(settings: BrokerSettings, text: string): Result<BrokerSettings, ValueFault>;
}

/** In the order of the files. */
export const CLUSTER_WIDE_KEYS: readonly ClusterWideKey[] = [
  offered('maximum_qos', 'maximumQos'),
  offered('retain_available', 'retainAvailable'),
  offered('wildcard_subscription_available', 'wildcardSubscriptionAvailable'),
  offered('subscription_identifiers_available', 'subscriptionIdentifiersAvailable'),
  offered('shared_subscription_available', 'sharedSubscriptionAvailable'),
  offered('maximum_packet_size_bytes', 'maximumPacketSizeBytes'),
  offered('receive_maximum', 'receiveMaximum'),
  offered('server_keep_alive_seconds', 'serverKeepAliveSeconds'),
  offered('keep_alive_seconds_max', 'keepAliveSecondsMax'),
  offered('session_expiry_seconds_max', 'sessionExpirySecondsMax'),
  offered('message_expiry_seconds_max', 'messageExpirySecondsMax'),
  bounded('subscriptions_per_client_max', 'subscriptionsPerClientMax'),
  bounded('sessions_max', 'sessionsMax'),
  bounded('inflight_messages_max', 'inflightMessagesMax'),
  bounded('inflight_bytes_max', 'inflightBytesMax'),
  bounded('queued_messages_max', 'queuedMessagesMax'),
  bounded('queued_bytes_max', 'queuedBytesMax'),
  bounded('output_bytes_max', 'outputBytesMax'),
  bounded('publishes_per_second_per_client_max', 'publishesPerSecondPerClientMax'),
  bounded('publish_bytes_per_second_per_client_max', 'publishBytesPerSecondPerClientMax'),
];

/** null: there is none of that name. */
export function clusterWideKey(name: string): ClusterWideKey | null {
  return CLUSTER_WIDE_KEYS.find((key) => key.name === name) ?? null;
}

/** The name that was perhaps meant; null: none is near. */
export function nearestClusterWideKey(name: string): string | null {
  const names = CLUSTER_WIDE_KEYS.map((key) => key.name);
  return nearestName(name, names);
}

function offered(name: keyof ProtocolSection, field: keyof ProtocolSettings): ClusterWideKey {
  return keyOf(`mqtt.${name}`, protocolSection.keys[name], (settings, value) => ({
    ...settings,
    protocol: { ...settings.protocol, [field]: value },
  }));
}

function bounded(name: keyof LimitsSection, field: keyof LimitSettings): ClusterWideKey {
  return keyOf(`limits.${name}`, limitsSection.keys[name], (settings, value) => ({
    ...settings,
    limits: { ...settings.limits, [field]: value },
  }));
}

function keyOf(
  name: string,
  {
    meaning,
    range,
    read,
    fromText,
  }: Pick<KeyDeclaration<unknown>, 'meaning' | 'range' | 'read' | 'fromText'>,
  put: (settings: BrokerSettings, value: unknown) => BrokerSettings,
): ClusterWideKey {
  return {
    ...{ name, meaning, range },
    expectedInsteadOf: (text) => {
      const value = read(fromText(text));
      return value.ok ? null : value.fault.expected;
    },
    apply: (settings, text) => {
      const value = read(fromText(text));
      return value.ok ? succeed(put(settings, value.value)) : value;
    },
  };
}
