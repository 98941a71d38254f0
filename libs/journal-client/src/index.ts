export {
  type ClientEnvironment,
  defaultJournalClientLimits,
  type JournalClientLimits,
} from './client-environment.ts';
export { connectJournal, type JournalConnectionOptions } from './connect-journal.ts';
export {
  type RegistryPlaces,
  registryPlaces,
  type RegistryPlacesOptions,
} from './registry-places.ts';
export { type ShardPlaces, staticPlaces } from './shard-places.ts';
export {
  type ExchangeCounters,
  type ExchangeHost,
  newExchangeCounters,
} from './server/exchange-host.ts';
export type {
  KeyedReplica,
  MessageReplica,
  OpenReplica,
  ReplicaAppend,
  ReplicaAppended,
  ReplicaDirectory,
} from './server/replica-ports.ts';
export { journalExchange } from './server/serve-exchange.ts';
export {
  openReplicatedJournal,
  type ReplicatedJournalOptions,
} from './single-writer/replicated-journal.ts';
export {
  registryCatalogue,
  type RegistryCatalogueOptions,
  type ShardCatalogue,
} from './single-writer/shard-catalogue.ts';
