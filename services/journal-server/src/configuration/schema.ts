import {
  logSection,
  type LogSection,
  type ObsoleteKey,
  type Schema,
  tlsSection,
  type TlsSection,
} from '@robustmq/config';
import { nodeSection } from './node-section.ts';
import type { NodeSection } from './node-section.ts';
import { raftSection } from './raft-section.ts';
import type { RaftSection } from './raft-section.ts';

/** Everything the file of a journal server may hold, as it is written there. */
export interface JournalServerValues {
  readonly node: NodeSection;
  readonly raft: RaftSection;
  readonly tls: TlsSection;
  readonly log: LogSection;
}

const NO_THREAD_POOL = 'there are no thread pools; the event loop needs no such size';

/** Keys of RobustMQ files that mean nothing here; each says what does the job instead. */
const obsolete: readonly ObsoleteKey[] = [
  { path: 'runtime_work_threads', reason: NO_THREAD_POOL },
  { path: 'network.*', reason: NO_THREAD_POOL },
  { path: 'rocksdb.*', reason: 'there is no RocksDB' },
  { path: 'prometheus.*', reason: 'metrics are served at /metrics of prometheus_port' },
  { path: 'log.log_config', reason: 'see the keys of [log]' },
];

export const journalServerSchema: Schema<JournalServerValues> = {
  sections: {
    node: nodeSection,
    raft: raftSection,
    tls: tlsSection,
    log: logSection('Shards that open, close or fail are at "info".'),
  },
  obsolete,
};
