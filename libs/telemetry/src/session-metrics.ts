import type { MetricDefinition } from './metric-definition.ts';
import { counter, gauge } from './metric-definition.ts';

/** What outlives connections: sessions, subscriptions, retained messages, wills. */
export const sessionMetrics: readonly MetricDefinition[] = [
  gauge('mqtt_sessions_count', 'sessions', 'sessions', 'Sessions, connected or not'),
  counter(
    'robust_mqtt_sessions_created_total',
    'sessions',
    'sessionsCreated',
    'Sessions that began new',
  ),
  counter(
    'robust_mqtt_sessions_resumed_total',
    'sessions',
    'sessionsResumed',
    'Sessions resumed by a CONNECT (Session Present 1)',
  ),
  counter(
    'robust_mqtt_session_takeovers_total',
    'sessions',
    'sessionsTakenOver',
    'Connections replaced by a newer one with the same client identifier',
  ),
  counter(
    'robust_mqtt_session_expirations_total',
    'sessions',
    'sessionsExpired',
    'Sessions deleted because their expiry interval passed',
  ),
  counter(
    'robust_mqtt_subscriptions_acknowledged_late_total',
    'subscriptions',
    'subscriptionsAcknowledgedLate',
    'SUBSCRIBEs acknowledged before every live broker of the cluster had confirmed them',
  ),
  counter(
    'robust_mqtt_wills_published_total',
    'messages',
    'willsPublished',
    'Will messages published',
  ),
  gauge(
    'mqtt_subscribers_count',
    'sessions',
    'subscribers',
    'Sessions with at least one subscription',
  ),
  gauge(
    'robust_mqtt_subscriptions',
    'subscriptions',
    'subscriptions',
    'Subscriptions of all sessions, shared ones included',
  ),
  gauge(
    'mqtt_subscriptions_shared_count',
    'subscriptions',
    'sharedSubscriptions',
    'Subscriptions with a share name',
  ),
  gauge(
    'mqtt_topics_count',
    'topics',
    'topics',
    'Distinct topic names that the broker holds state for',
  ),
  gauge('robust_mqtt_routes', 'filters', 'routes', 'Distinct topic filters in the routing index'),
  gauge('mqtt_retained_count', 'messages', 'retainedMessages', 'Retained messages'),
  gauge('robust_mqtt_retained_bytes', 'bytes', 'retainedBytes', 'Bytes of the retained messages'),
];
