import type { MetricDefinition } from './metric-definition.ts';
import { counter, gauge, split } from './metric-definition.ts';

/** What happens to messages between publisher and receiver, and what holds them back. */
export const deliveryMetrics: readonly MetricDefinition[] = [
  split(
    {
      name: 'robust_mqtt_messages_dropped_total',
      unit: 'messages',
      help: 'Messages that were not delivered, by reason; no_subscriber counts published messages, every other reason counts messages per receiver or refused publish',
    },
    'reason',
    {
      queue_full_qos0: 'droppedQueueFullQos0',
      queue_full: 'droppedQueueFull',
      expired: 'droppedExpired',
      no_subscriber: 'droppedNoSubscriber',
      not_authorized: 'droppedNotAuthorized',
      too_large: 'droppedTooLarge',
      trimmed: 'droppedTrimmed',
    },
  ),
  gauge(
    'robust_mqtt_queued_messages',
    'messages',
    'queuedMessages',
    'Messages waiting in memory for connected clients',
  ),
  gauge(
    'robust_mqtt_queued_bytes',
    'bytes',
    'queuedBytes',
    'Bytes waiting in memory for connected clients',
  ),
  gauge(
    'robust_mqtt_inflight_messages',
    'messages',
    'inflightMessages',
    'QoS 1 and 2 messages sent and not yet acknowledged by the receiving clients',
  ),
  gauge(
    'robust_mqtt_memory_budget_used_bytes',
    'bytes',
    'memoryBudgetUsedBytes',
    'Bytes held by all queues together',
  ),
  gauge(
    'robust_mqtt_memory_budget_max_bytes',
    'bytes',
    'memoryBudgetMaxBytes',
    'Bytes above which publishers are paused',
  ),
  gauge(
    'robust_mqtt_publishers_paused',
    'connections',
    'publishersPaused',
    'Publishers that are not read from now, because something behind them is full',
  ),
  counter(
    'robust_mqtt_publisher_pauses_total',
    'pauses',
    'publisherPauses',
    'Times that reading from a publisher was paused',
  ),
  counter(
    'robust_mqtt_durable_publishes_refused_total',
    'messages',
    'durablePublishesRefused',
    'Durable publishes refused because disk or journal is full (0x97 Quota exceeded)',
  ),
  {
    name: 'mqtt_packet_process_duration_ms',
    kind: 'histogram',
    unit: 'milliseconds',
    help: 'Time to handle one received packet, observed for a sample of the packets',
    field: 'packetProcessNs',
    scale: 1e-6,
  },
];
