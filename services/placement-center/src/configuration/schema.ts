import {
  logSection,
  type LogSection,
  type ObsoleteKey,
  type Schema,
  tlsSection,
  type TlsSection,
} from '@robustmq/config';
import { etcdSection } from './edge-sections.ts';
import type { EtcdSection } from './edge-sections.ts';
import { nodeSection } from './node-section.ts';
import type { NodeSection } from './node-section.ts';
import { raftSection } from './raft-section.ts';
import type { RaftSection } from './raft-section.ts';

/** Everything the file of a placement center may hold, as it is written there. */
export interface PlacementCenterValues {
  readonly node: NodeSection;
  readonly raft: RaftSection;
  readonly tls: TlsSection;
  readonly etcd: EtcdSection;
  readonly log: LogSection;
}

const NO_THREAD_POOL = 'there are no thread pools; the event loop needs no such size';

/** Keys of RobustMQ files that mean nothing here; each says what does the job instead. */
const obsolete: readonly ObsoleteKey[] = [
  { path: 'runtime_work_threads', reason: NO_THREAD_POOL },
  { path: 'runtime_worker_threads', reason: NO_THREAD_POOL },
  { path: 'network.*', reason: NO_THREAD_POOL },
  { path: 'rocksdb.*', reason: 'there is no RocksDB' },
  { path: 'prometheus.*', reason: 'metrics are served at /metrics of http_port' },
  { path: 'log.log_config', reason: 'see the keys of [log]' },
];

export const placementCenterSchema: Schema<PlacementCenterValues> = {
  sections: {
    node: nodeSection,
    raft: raftSection,
    tls: tlsSection,
    etcd: etcdSection,
    log: logSection('Changes of leader and members are at "info".'),
  },
  obsolete,
};
