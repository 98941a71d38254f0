export { assembleBroker } from './assemble.ts';
export type { Broker } from './assemble.ts';
export {
  CLUSTER_WIDE_KEYS,
  type ClusterWideKey,
  clusterWideKey,
  nearestClusterWideKey,
} from './configuration/cluster-wide-keys.ts';
export { brokerSchema } from './configuration/schema.ts';
export type { BrokerConfigurationValues } from './configuration/schema.ts';
export { brokerSettingsFrom } from './configuration/settings-from.ts';
export type { MachineFacts } from './configuration/settings-from.ts';
export type { BrokerSettings } from './settings.ts';
export { workerSettings } from './worker-settings.ts';
