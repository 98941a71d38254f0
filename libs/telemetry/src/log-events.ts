/** The levels that can be configured, from most to least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** A kind of log line: what happened, as a name with fields, never as a sentence. */
export interface LogEvent {
  /** `area.happened`; API, as scripts search for it. */
  readonly name: string;
  readonly level: LogLevel;
  /** What it means and, for warnings and errors, what to do. */
  readonly help: string;
  readonly fields: readonly string[];
  /** Lines of this event that one second may have; the rest is counted. */
  readonly perSecondMax: number;
}

/**
 * Every event of the log. None is written per message at level info or above: those which a client can
 * cause at will have a low `perSecondMax` or are at debug.
 */
export const logEvents = {
  brokerStarting: {
    name: 'broker.starting',
    level: 'info',
    perSecondMax: 10,
    fields: ['nodeId', 'version', 'pid', 'configurationFile'],
    help: 'The process begins to start.',
  },
  brokerStarted: {
    name: 'broker.started',
    level: 'info',
    perSecondMax: 10,
    fields: ['nodeId', 'version', 'startMs', 'listeners'],
    help: 'Recovery is done and every listener is up.',
  },
  brokerStartFailed: {
    name: 'broker.start_failed',
    level: 'fatal',
    perSecondMax: 10,
    fields: ['err'],
    help: 'The process could not start and ends; the error says which key or file.',
  },
  brokerStopping: {
    name: 'broker.stopping',
    level: 'info',
    perSecondMax: 10,
    fields: ['reason', 'connections'],
    help: 'New connections are refused; clients are told and closed.',
  },
  brokerStopped: {
    name: 'broker.stopped',
    level: 'info',
    perSecondMax: 10,
    fields: ['uptimeSeconds'],
    help: 'Everything is closed and flushed.',
  },
  brokerCrashed: {
    name: 'broker.crashed',
    level: 'fatal',
    perSecondMax: 10,
    fields: ['err'],
    help: 'An invariant is broken; the process ends. Please report it.',
  },
  configurationLoaded: {
    name: 'configuration.loaded',
    level: 'info',
    perSecondMax: 10,
    fields: ['file', 'overrides'],
    help: 'The configuration is valid; `overrides` lists what differs from the defaults, without secrets.',
  },
  configurationWarning: {
    name: 'configuration.warning',
    level: 'warn',
    perSecondMax: 50,
    fields: ['key', 'detail'],
    help: 'A key is accepted but has no effect or is risky.',
  },
  listenerStarted: {
    name: 'listener.started',
    level: 'info',
    perSecondMax: 50,
    fields: ['listener', 'kind', 'address', 'port'],
    help: 'A listener accepts connections.',
  },
  listenerStopped: {
    name: 'listener.stopped',
    level: 'info',
    perSecondMax: 50,
    fields: ['listener'],
    help: 'A listener accepts no more connections.',
  },
  listenerFailed: {
    name: 'listener.failed',
    level: 'error',
    perSecondMax: 5,
    fields: ['listener', 'err'],
    help: 'A listener could not start or stopped by itself.',
  },
  listenerAtLimit: {
    name: 'listener.at_limit',
    level: 'warn',
    perSecondMax: 1,
    fields: ['listener', 'connectionsMax'],
    help: 'Connections are closed at once: raise the limit or add nodes.',
  },
  handshakeFailed: {
    name: 'listener.handshake_failed',
    level: 'info',
    perSecondMax: 5,
    fields: ['listener', 'remoteAddress', 'reason'],
    help: 'TLS, WebSocket or PROXY protocol handshake did not complete.',
  },
  tlsReloaded: {
    name: 'listener.tls_reloaded',
    level: 'info',
    perSecondMax: 10,
    fields: ['listener'],
    help: 'Certificate files were read again.',
  },
  tlsReloadFailed: {
    name: 'listener.tls_reload_failed',
    level: 'error',
    perSecondMax: 10,
    fields: ['listener', 'err'],
    help: 'Certificate files are not usable; the old ones stay in use.',
  },
  adminStarted: {
    name: 'admin.started',
    level: 'info',
    perSecondMax: 10,
    fields: ['address', 'port'],
    help: 'Metrics and health are served.',
  },
  adminRequestFailed: {
    name: 'admin.request_failed',
    level: 'error',
    perSecondMax: 5,
    fields: ['path', 'err'],
    help: 'An HTTP request was answered with 500.',
  },
  clientConnected: {
    name: 'client.connected',
    level: 'debug',
    perSecondMax: 1000,
    fields: ['clientId', 'username', 'remoteAddress', 'listener', 'mqttVersion', 'sessionPresent'],
    help: 'A CONNECT was accepted.',
  },
  clientDisconnected: {
    name: 'client.disconnected',
    level: 'debug',
    perSecondMax: 1000,
    fields: ['clientId', 'cause', 'reasonCode', 'connectedSeconds'],
    help: 'A connection ended.',
  },
  clientRefused: {
    name: 'client.refused',
    level: 'info',
    perSecondMax: 5,
    fields: ['clientId', 'username', 'remoteAddress', 'listener', 'reasonCode'],
    help: 'A CONNECT was refused.',
  },
  clientProtocolError: {
    name: 'client.protocol_error',
    level: 'info',
    perSecondMax: 5,
    fields: ['clientId', 'remoteAddress', 'listener', 'reasonCode', 'detail'],
    help: 'A client sent what the standard forbids and was disconnected.',
  },
  clientTakenOver: {
    name: 'client.taken_over',
    level: 'debug',
    perSecondMax: 1000,
    fields: ['clientId', 'remoteAddress', 'previousAddress'],
    help: 'A newer connection uses the client identifier; two devices may share one.',
  },
  clientDenied: {
    name: 'client.denied',
    level: 'info',
    perSecondMax: 5,
    fields: ['clientId', 'username', 'action', 'topic'],
    help: 'An access rule denied a publish or subscribe.',
  },
  clientQuotaExceeded: {
    name: 'client.quota_exceeded',
    level: 'warn',
    perSecondMax: 5,
    fields: ['clientId', 'limit', 'value', 'max'],
    help: 'A client is at a limit of its own.',
  },
  deliveryDropped: {
    name: 'delivery.dropped',
    level: 'warn',
    perSecondMax: 1,
    fields: ['clientId', 'reason', 'messages'],
    help: 'Messages for a client were dropped; the metric tells how many in all.',
  },
  backPressureBegan: {
    name: 'back_pressure.began',
    level: 'warn',
    perSecondMax: 1,
    fields: ['usedBytes', 'maxBytes'],
    help: 'The memory budget is used up: publishers are paused.',
  },
  backPressureEnded: {
    name: 'back_pressure.ended',
    level: 'info',
    perSecondMax: 1,
    fields: ['usedBytes', 'durationMs'],
    help: 'Publishers are read again.',
  },
  sessionExpired: {
    name: 'session.expired',
    level: 'debug',
    perSecondMax: 1000,
    fields: ['clientId'],
    help: 'A session was deleted because its expiry interval passed.',
  },
  journalRecovered: {
    name: 'journal.recovered',
    level: 'info',
    perSecondMax: 10,
    fields: ['shard', 'records', 'oldest', 'next', 'durationMs'],
    help: 'A journal shard is open.',
  },
  journalTruncated: {
    name: 'journal.truncated',
    level: 'warn',
    perSecondMax: 10,
    fields: ['shard', 'truncatedBytes'],
    help: 'A torn tail, never acknowledged, was cut off. Expected after a crash or power cut.',
  },
  journalQuarantined: {
    name: 'journal.quarantined',
    level: 'error',
    perSecondMax: 10,
    fields: ['shard', 'file', 'reason', 'first', 'after'],
    help: 'A damaged segment was set aside; the offsets named are missing. Check the disk.',
  },
  journalNotFlushed: {
    name: 'journal.not_flushed',
    level: 'warn',
    perSecondMax: 1,
    fields: ['shard', 'medium'],
    help: 'The servers that keep the journal acknowledge before they flush: if most of them lose power at once, acknowledged messages are lost.',
  },
  journalFull: {
    name: 'journal.full',
    level: 'error',
    perSecondMax: 1,
    fields: ['shard', 'limit', 'detail'],
    help: 'Durable publishes are refused until there is room.',
  },
  journalWritable: {
    name: 'journal.writable',
    level: 'info',
    perSecondMax: 1,
    fields: ['shard', 'refused'],
    help: 'Durable publishes are accepted again.',
  },
  journalFailed: {
    name: 'journal.failed',
    level: 'error',
    perSecondMax: 1,
    fields: ['shard', 'operation', 'err'],
    help: 'A write or flush failed; the shard takes no appends until reopened. Check the disk.',
  },
  journalFlushSlow: {
    name: 'journal.flush_slow',
    level: 'warn',
    perSecondMax: 1,
    fields: ['shard', 'durationMs'],
    help: 'One flush took unusually long: the disk is busy or failing.',
  },
  placementStarted: {
    name: 'placement.started',
    level: 'info',
    perSecondMax: 10,
    fields: ['nodeId', 'version', 'startMs', 'grpcAddress', 'clusterName'],
    help: 'A member of the placement center serves.',
  },
  placementStopping: {
    name: 'placement.stopping',
    level: 'info',
    perSecondMax: 10,
    fields: ['reason'],
    help: 'New calls are refused; the member hands over and closes.',
  },
  placementLeaderChanged: {
    name: 'placement.leader_changed',
    level: 'info',
    perSecondMax: 10,
    fields: ['leader', 'term', 'role'],
    help: 'Another member leads, or none is known (leader 0).',
  },
  placementMembersChanged: {
    name: 'placement.members_changed',
    level: 'info',
    perSecondMax: 10,
    fields: ['voters', 'learners'],
    help: 'Who belongs to the group has changed.',
  },
  placementRefused: {
    name: 'placement.refused',
    level: 'fatal',
    perSecondMax: 10,
    fields: ['by', 'detail'],
    help: 'Another member refuses this one; the process ends. The sentence says what to do.',
  },
  placementWrongPeer: {
    name: 'placement.wrong_peer',
    level: 'error',
    perSecondMax: 5,
    fields: ['detail'],
    help: 'An address in nodes belongs to a stranger. This member belongs to its cluster already and goes on; correct the configuration.',
  },
  placementFailed: {
    name: 'placement.failed',
    level: 'fatal',
    perSecondMax: 10,
    fields: ['code', 'detail'],
    help: 'The Raft log cannot be written or trusted; the process ends. A restart recovers what is durable.',
  },
  placementControllerFailed: {
    name: 'placement.controller_failed',
    level: 'error',
    perSecondMax: 5,
    fields: ['controller', 'err'],
    help: 'A loop of the leader failed; it is started again.',
  },
  placementShardPlaced: {
    name: 'placement.shard_placed',
    level: 'info',
    perSecondMax: 20,
    fields: ['shard', 'replicas', 'preferredLeader', 'reason'],
    help: 'A shard of the journal was founded, repaired, moved, or is to have another leader.',
  },
  placementLeaseExpired: {
    name: 'placement.lease_expired',
    level: 'debug',
    perSecondMax: 1000,
    fields: ['lease'],
    help: 'A lease was not kept alive; its keys are deleted.',
  },
  clusterRegistered: {
    name: 'cluster.registered',
    level: 'info',
    perSecondMax: 10,
    fields: ['nodeId', 'incarnation'],
    help: 'This broker is a member of its cluster, in this incarnation.',
  },
  clusterLeaseLost: {
    name: 'cluster.lease_lost',
    level: 'error',
    perSecondMax: 10,
    fields: ['nodeId', 'incarnation', 'err'],
    help: 'The registration has ended: connections of durable sessions are closed, and the broker registers anew. Look at the placement center and the network.',
  },
  clusterNodeRevoked: {
    name: 'cluster.node_revoked',
    level: 'warn',
    perSecondMax: 10,
    fields: ['nodeId', 'incarnation'],
    help: 'A broker that owned a session did not answer in time; its registration is ended, so that the session can move.',
  },
  clusterSubackLate: {
    name: 'cluster.suback_late',
    level: 'warn',
    perSecondMax: 5,
    fields: ['clientId', 'waitMs'],
    help: 'Some broker has not confirmed a subscription in time: messages published there may miss it for a moment.',
  },
  eventLoopDelayed: {
    name: 'process.event_loop_delayed',
    level: 'warn',
    perSecondMax: 1,
    fields: ['delayMs'],
    help: 'The process did not run for a while: CPU shortage or a long computation.',
  },
  taskFailed: {
    name: 'task.failed',
    level: 'error',
    perSecondMax: 5,
    fields: ['task', 'err'],
    help: 'A background task failed and will be tried again.',
  },
  logSuppressed: {
    name: 'log.suppressed',
    level: 'warn',
    perSecondMax: 100,
    fields: ['suppressedEvent', 'lines'],
    help: 'Lines of an event were left out because there were too many in one second.',
  },
} as const;

/** What a field may hold. Errors are written with message, code, stack and cause. */
export type LogValue = string | number | boolean | null | Error | readonly string[];

/** The fields of `Event`, each required. */
export type LogFields<Event extends LogEvent> = {
  readonly [Field in Event['fields'][number]]: LogValue;
};
