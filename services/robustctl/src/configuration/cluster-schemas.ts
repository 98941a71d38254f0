import { bytesKey, integerKey, textKey, textListKey, textMapKey } from '@robustmq/config';
import type { KeyDeclaration, ObsoleteKey, Schema } from '@robustmq/config';

/** The keys of a journal server; checked today, used once the component is available. */
export interface JournalServerValues {
  readonly node: {
    readonly cluster_name: string;
    readonly node_id: number;
    readonly addr: string;
    readonly grpc_port: number;
    readonly prometheus_port: number;
    readonly nodes: Readonly<Record<string, string>>;
    readonly placement_center: readonly string[];
    readonly data_path: readonly string[];
    readonly log_path: string;
    readonly segment_bytes_max: number;
  };
}

const obsolete: readonly ObsoleteKey[] = [
  { path: 'runtime_work_threads', reason: 'there are no thread pools' },
  { path: 'network.*', reason: 'there are no thread pools' },
  { path: 'rocksdb.*', reason: 'there is no RocksDB' },
  { path: 'log_segment_size', reason: 'log files are rotated by the system' },
  { path: 'log_file_num', reason: 'log files are rotated by the system' },
];

export const journalServerSchema: Schema<JournalServerValues> = {
  sections: {
    node: {
      kind: 'section',
      name: '',
      meaning: 'One journal server.',
      keys: {
        cluster_name: clusterName(),
        node_id: nodeId(),
        addr: address(),
        grpc_port: port('gRPC: brokers and other journal servers connect here.', 2228),
        prometheus_port: port('HTTP: /health and /metrics.', 2229),
        nodes: members('2228'),
        placement_center: textListKey({
          default: ['127.0.0.1:1228'],
          meaning: 'The addresses (host:port) of the placement center.',
          reason: 'One that answers is enough; name all, so that any may be down.',
        }),
        data_path: textListKey({
          default: ['data/journal-server'],
          meaning: 'The directories of the shards; several spread them over disks.',
          reason: 'Relative to the working directory.',
        }),
        log_path: logPath(),
        segment_bytes_max: bytesKey({
          default: 64 * 2 ** 20,
          minimum: 2 ** 20,
          maximum: 4 * 2 ** 30,
          meaning: 'The size at which a new segment file is begun.',
          reason: 'Whole segments are removed: smaller ones free disk sooner.',
        }),
      },
    },
  },
  obsolete,
};

function clusterName(): KeyDeclaration<string> {
  return textKey({
    default: 'robustmq',
    allowEmpty: false,
    meaning: 'The name of the cluster.',
    reason: 'Nodes with another name are refused.',
  });
}

function nodeId(): KeyDeclaration<number> {
  return integerKey({
    default: 1,
    minimum: 1,
    maximum: 65535,
    meaning: 'The number of this node, unique in its cluster.',
    reason: 'Never reuse it for another node.',
  });
}

function address(): KeyDeclaration<string> {
  return textKey({
    default: '127.0.0.1',
    allowEmpty: false,
    meaning: 'The address to listen on.',
    reason: 'Loopback: nothing is open to the network before it is protected.',
  });
}

function port(meaning: string, value: number): KeyDeclaration<number> {
  return integerKey({
    default: value,
    minimum: 0,
    maximum: 65535,
    meaning: `The port of ${meaning}`,
    reason: 'The port that RobustMQ is known by.',
    unit: 'port',
  });
}

function members(memberPort: string): KeyDeclaration<Readonly<Record<string, string>>> {
  return textMapKey({
    default: { 1: `127.0.0.1:${memberPort}` },
    meaning: 'All members: node number = "host:port".',
    reason: 'One member is a cluster of one; three survive the loss of one.',
  });
}

function logPath(): KeyDeclaration<string> {
  return textKey({
    default: 'logs',
    allowEmpty: false,
    meaning: 'The directory of the log file of a process started with --daemon.',
    reason: 'Relative to the working directory.',
  });
}
