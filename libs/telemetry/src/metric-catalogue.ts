import { connectionMetrics } from './connection-metrics.ts';
import { deliveryMetrics } from './delivery-metrics.ts';
import { journalMetrics } from './journal-metrics.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { packetMetrics } from './packet-metrics.ts';
import { sessionMetrics } from './session-metrics.ts';

/** A heading of the reference page and the metrics below it. */
export interface MetricGroup {
  readonly title: string;
  readonly metrics: readonly MetricDefinition[];
}

/**
 * Every metric of the broker, once.
 *
 * Scheme: a name that RobustMQ's users know (`mqtt_…`) is kept where it means the same; everything
 * else is `robust_mqtt_…` with the unit in the name. A fact has one name: totals that a query can
 * sum, such as packets of all types, are not exposed a second time.
 */
export const metricCatalogue: readonly MetricGroup[] = [
  { title: 'Packets and bytes', metrics: packetMetrics },
  { title: 'Delivery and back-pressure', metrics: deliveryMetrics },
  { title: 'Connections and access', metrics: connectionMetrics },
  { title: 'Sessions, subscriptions and topics', metrics: sessionMetrics },
  { title: 'Journal', metrics: journalMetrics },
];
