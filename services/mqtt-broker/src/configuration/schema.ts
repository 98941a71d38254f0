import { logSection, type LogSection, type ObsoleteKey, type Schema } from '@robustmq/config';
import { accessSection } from './access-section.ts';
import type { AccessSection } from './access-section.ts';
import { clusterSection } from './cluster-section.ts';
import type { ClusterSection } from './cluster-section.ts';
import { jetStreamSection } from './jetstream-section.ts';
import type { JetStreamSection } from './jetstream-section.ts';
import { limitsSection } from './limits-section.ts';
import type { LimitsSection } from './limits-section.ts';
import { listenerRows } from './listener-rows.ts';
import type { ListenerRow } from './listener-rows.ts';
import { networkSection } from './network-section.ts';
import type { NetworkSection } from './network-section.ts';
import { nodeSection } from './node-section.ts';
import type { NodeSection } from './node-section.ts';
import { subscribeSection, systemSection } from './operation-sections.ts';
import type { SubscribeSection, SystemSection } from './operation-sections.ts';
import { postgresSection } from './postgres-section.ts';
import type { PostgresSection } from './postgres-section.ts';
import { protocolSection } from './protocol-section.ts';
import type { ProtocolSection } from './protocol-section.ts';
import { s3Section } from './s3-section.ts';
import type { S3Section } from './s3-section.ts';
import { storageSection } from './storage-section.ts';
import type { StorageSection } from './storage-section.ts';

/** Everything the file of a broker may hold, as it is written there. */
export interface BrokerConfigurationValues {
  readonly node: NodeSection;
  readonly network: NetworkSection;
  readonly auth: AccessSection;
  readonly cluster: ClusterSection;
  readonly storage: StorageSection;
  readonly jetstream: JetStreamSection;
  readonly postgres: PostgresSection;
  readonly s3: S3Section;
  readonly mqtt: ProtocolSection;
  readonly limits: LimitsSection;
  readonly subscribe: SubscribeSection;
  readonly system: SystemSection;
  readonly log: LogSection;
  readonly listeners: readonly ListenerRow[];
}

const NO_THREAD_POOL = 'there are no thread pools; the event loop needs no such size';

/** Keys of RobustMQ files that mean nothing here; each says what does the job instead. */
const obsolete: readonly ObsoleteKey[] = [
  { path: 'tcp_thread.*', reason: NO_THREAD_POOL },
  { path: 'network_thread.*', reason: NO_THREAD_POOL },
  { path: 'system.runtime_worker_threads', reason: NO_THREAD_POOL },
  { path: 'runtime_work_threads', reason: NO_THREAD_POOL },
  { path: 'network.accept_thread_num', reason: NO_THREAD_POOL },
  { path: 'network.handler_thread_num', reason: NO_THREAD_POOL },
  { path: 'network.response_thread_num', reason: NO_THREAD_POOL },
  { path: 'network.quic_port', reason: 'QUIC is not available in this version' },
  { path: 'system.default_user', reason: 'there is no built-in account; use `robustctl passwd`' },
  {
    path: 'system.default_password',
    reason: 'there is no built-in account; use `robustctl passwd`',
  },
  { path: 'auth.storage_type', reason: 'users are kept in [auth] password_file' },
  { path: 'auth_storage.*', reason: 'users are kept in [auth] password_file' },
  { path: 'subscribe.share_model', reason: 'every member is chosen by the broker of the group' },
  { path: 'log.log_config', reason: 'see the keys of [log]' },
  {
    path: 'offline_messages.*',
    reason:
      'messages for absent subscribers stay in the journal; [storage] journal_bytes_max and [mqtt] message_expiry_seconds_max bound them',
  },
  { path: 'rocksdb.*', reason: 'there is no RocksDB; see [storage]' },
  { path: 'prometheus.*', reason: 'metrics are served at /metrics of http_port' },
  { path: 'roles', reason: 'the component is named on the command line' },
];

export const brokerSchema: Schema<BrokerConfigurationValues> = {
  sections: {
    node: nodeSection,
    network: networkSection,
    auth: accessSection,
    cluster: clusterSection,
    storage: storageSection,
    jetstream: jetStreamSection,
    postgres: postgresSection,
    s3: s3Section,
    mqtt: protocolSection,
    limits: limitsSection,
    subscribe: subscribeSection,
    system: systemSection,
    log: logSection('"debug" writes several entries a connection.'),
    listeners: listenerRows,
  },
  obsolete,
};
