import type { MetricDefinition } from './metric-definition.ts';
import { counter, gauge, split, total } from './metric-definition.ts';

/** Who connects, who is refused, who leaves, and what access control decides. */
export const connectionMetrics: readonly MetricDefinition[] = [
  gauge(
    'mqtt_connections_count',
    'connections',
    'connections',
    'Connections with a completed CONNECT',
  ),
  counter(
    'robust_mqtt_connects_accepted_total',
    'connects',
    'connectsAccepted',
    'CONNECT packets answered with success',
  ),
  split(
    {
      name: 'robust_mqtt_connects_refused_total',
      unit: 'connects',
      help: 'CONNECT packets refused, by class of reason code; banned ones are in mqtt_blacklist_blocked',
    },
    'reason',
    {
      malformed: 'connectsRefusedMalformed',
      unsupported_version: 'connectsRefusedUnsupportedVersion',
      client_identifier: 'connectsRefusedClientIdentifier',
      credentials: 'connectsRefusedCredentials',
      not_authorized: 'connectsRefusedNotAuthorized',
      busy: 'connectsRefusedBusy',
      rate: 'connectsRefusedRate',
      other: 'connectsRefusedOther',
    },
  ),
  counter(
    'mqtt_blacklist_blocked',
    'connects',
    'connectsRefusedBanned',
    'CONNECT packets refused because client, user or address is banned',
  ),
  split(
    {
      name: 'robust_mqtt_disconnects_total',
      unit: 'connections',
      help: 'Connections that ended after a successful CONNECT, by cause',
    },
    'cause',
    {
      client: 'disconnectsByClient',
      client_with_will: 'disconnectsByClientWithWill',
      connection_lost: 'disconnectsConnectionLost',
      keep_alive_timeout: 'disconnectsKeepAliveTimeout',
      taken_over: 'disconnectsTakenOver',
      protocol_error: 'disconnectsProtocolError',
      packet_too_large: 'disconnectsPacketTooLarge',
      not_authorized: 'disconnectsNotAuthorized',
      quota_exceeded: 'disconnectsQuotaExceeded',
      slow_reader: 'disconnectsSlowReader',
      administrative: 'disconnectsAdministrative',
      shutdown: 'disconnectsShutdown',
      other: 'disconnectsOther',
    },
  ),
  total(
    'robust_mqtt_listener_accepted_total',
    'connections',
    'listenerAccepted',
    'Connections accepted by all listeners, before any MQTT packet',
  ),
  total(
    'robust_mqtt_listener_refused_at_limit_total',
    'connections',
    'listenerRefusedAtLimit',
    'Connections closed at once because a listener was at its limit',
  ),
  total(
    'robust_mqtt_listener_handshake_failures_total',
    'connections',
    'listenerHandshakeFailures',
    'Connections dropped during TLS, WebSocket or PROXY protocol handshake',
  ),
  counter('mqtt_auth_success', 'decisions', 'authSuccess', 'Authentications that succeeded'),
  counter('mqtt_auth_failed', 'decisions', 'authFailed', 'Authentications that failed'),
  counter('mqtt_acl_success', 'decisions', 'aclSuccess', 'Access decisions that allowed'),
  counter('mqtt_acl_failed', 'decisions', 'aclFailed', 'Access decisions that denied'),
];
