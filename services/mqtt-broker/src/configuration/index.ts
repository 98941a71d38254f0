export { isLoopbackHost } from './exposure.ts';
export { brokerSchema } from './schema.ts';
export type { BrokerConfigurationValues } from './schema.ts';
export { brokerSettingsFrom } from './settings-from.ts';
export type { MachineFacts } from './settings-from.ts';
