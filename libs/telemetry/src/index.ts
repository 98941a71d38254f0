export { ADMIN_HOST_DEFAULT, createAdminServer } from './admin-server.ts';
export type {
  AdminReply,
  AdminRequest,
  AdminRoute,
  AdminServer,
  AdminServerOptions,
} from './admin-server.ts';
export { AdminServerError } from './admin-server-error.ts';
export type { AdminServerFault } from './admin-server-error.ts';
export { createBrokerCounters } from './broker-counters.ts';
export type { BrokerCounters } from './broker-counters.ts';
export type { BrokerHistograms } from './broker-histograms.ts';
export { zeroGaugeSource } from './gauge-source.ts';
export type { GaugeSource } from './gauge-source.ts';
export { healthReport } from './health.ts';
export type { HealthCheck, HealthReport, HealthSource } from './health.ts';
export { createJournalServerMetricsRegistry } from './journal-server-metrics.ts';
export type { JournalServerGaugeSource } from './journal-server-metrics.ts';
export { logEvents } from './log-events.ts';
export type { LogEvent, LogFields, LogLevel, LogValue } from './log-events.ts';
export { createLogger, createLoggerTo, log } from './logger.ts';
export type { LogDestination, Logger, LoggerOptions } from './logger.ts';
export { createMetricsRegistry } from './metrics-registry.ts';
export type { MetricsRegistry } from './metrics-registry.ts';
export { createPlacementMetricsRegistry } from './placement-metrics.ts';
export type { PlacementGaugeSource, PlacementMetricsRegistry } from './placement-metrics.ts';
export type { PlainMetricsRegistry } from './plain-metrics.ts';
export {
  clientConnectedEvent,
  clientDisconnectedEvent,
  clientSubscribedEvent,
  clientUnsubscribedEvent,
  PresenceEpoch,
} from './presence-event.ts';
export type { PresenceClient, PresenceEvent, PresenceMoment } from './presence-event.ts';
export { countRefusedConnect } from './refused-connect.ts';
export { StatsWithMax } from './stats-with-max.ts';
export type { StatName, StatsSnapshot } from './stats-with-max.ts';
export { sysTopicValues } from './sys-topics.ts';
export type { SysNode, SysSnapshot } from './sys-topics.ts';
