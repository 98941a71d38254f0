export { assembleBroker } from './assemble.ts';
export type { Broker } from './assemble.ts';
export { brokerSchema, brokerSettingsFrom, isLoopbackHost } from './configuration/index.ts';
export type { BrokerConfigurationValues, MachineFacts } from './configuration/index.ts';
export type { BrokerSettings } from './settings.ts';
