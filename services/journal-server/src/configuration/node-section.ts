import {
  bytesKey,
  type ClusterTokenKeys,
  clusterTokenKeys,
  integerKey,
  integerOrWordKey,
  textKey,
  textListKey,
  textMapKey,
} from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** The keys at the top of the file: who this server is, where it listens, and where its data is. */
export interface NodeSection extends ClusterTokenKeys {
  readonly cluster_name: string;
  readonly node_id: number;
  readonly addr: string;
  readonly grpc_port: number;
  readonly http_host: string;
  readonly prometheus_port: number | 'off';
  readonly nodes: Readonly<Record<string, string>>;
  readonly placement_center: readonly string[];
  readonly data_path: readonly string[];
  readonly segment_bytes_max: number;
  readonly disk_free_bytes_min: number;
  readonly cache_bytes_max: number;
  readonly scrub_bytes_per_second: number;
  readonly heartbeat_timeout_ms: number;
}

export const nodeSection: SectionDeclaration<NodeSection> = {
  kind: 'section',
  name: '',
  meaning: 'Who this journal server is, where it listens, and where its data is.',
  keys: {
    cluster_name: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The name of the cluster.',
      reason: 'Nodes with another name are refused.',
    }),
    node_id: integerKey({
      default: 1,
      minimum: 1,
      maximum: 65535,
      meaning: 'The number of this server, unique among the journal servers of its cluster.',
      reason: 'Never reuse it for another server, nor for the same one after its disk is lost.',
      aliases: ['node.node_id'],
    }),
    addr: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning: 'The address to listen on.',
      reason: 'Loopback: nothing is open to the network before it is protected.',
    }),
    grpc_port: integerKey({
      default: 2228,
      minimum: 0,
      maximum: 65535,
      meaning: 'The port of gRPC: brokers and other journal servers connect here. 0: any.',
      reason: 'The port that RobustMQ is known by.',
      unit: 'port',
    }),
    http_host: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning: 'The address of the HTTP server: /health/ready and /metrics.',
      reason: 'It has no login: open it beyond this machine only behind something that has.',
    }),
    prometheus_port: integerOrWordKey({
      default: 2229,
      minimum: 0,
      maximum: 65535,
      word: 'off',
      meaning: 'The port of the HTTP server. 0 lets the system choose.',
      reason: 'The port that RobustMQ is known by.',
      unit: 'port',
      aliases: ['http_port'],
    }),
    ...clusterKeys(),
    ...storageKeys(),
    ...clusterTokenKeys('journal servers, brokers and `robustctl`'),
  },
};

type ClusterKeys = Pick<NodeSection, 'nodes' | 'placement_center' | 'heartbeat_timeout_ms'>;

function clusterKeys(): SectionDeclaration<ClusterKeys>['keys'] {
  return {
    nodes: textMapKey({
      default: {},
      meaning:
        'Journal servers: node number = "host:port". The entry of node_id is where the others reach ' +
        'this one; without it that is addr and grpc_port.',
      reason: 'The others are learnt from the placement center.',
      aliases: ['node.nodes'],
    }),
    placement_center: textListKey({
      default: ['127.0.0.1:1228'],
      meaning: 'The addresses (host:port) of the placement center.',
      reason: 'One that answers is enough; name all, so that any may be down.',
    }),
    heartbeat_timeout_ms: integerKey({
      default: 10_000,
      minimum: 2_000,
      maximum: 3_600_000,
      meaning:
        'The placement center takes a server that it has not heard of for this long for dead.',
      reason: 'Another replica leads long before; this only decides who is listed as alive.',
      unit: 'milliseconds',
    }),
  };
}

type StorageKeys = Pick<
  NodeSection,
  | 'data_path'
  | 'segment_bytes_max'
  | 'disk_free_bytes_min'
  | 'cache_bytes_max'
  | 'scrub_bytes_per_second'
>;

function storageKeys(): SectionDeclaration<StorageKeys>['keys'] {
  return {
    data_path: textListKey({
      default: ['data/journal-server'],
      meaning: 'The directory of the shards: a list of one.',
      reason: 'Relative to the working directory. Several disks are joined below it (LVM, RAID).',
    }),
    segment_bytes_max: bytesKey({
      default: 64 * 2 ** 20,
      minimum: 2 ** 20,
      maximum: 2 ** 30,
      meaning: 'The size at which a new segment file is begun.',
      reason: 'Whole segments are removed: smaller ones free disk sooner.',
    }),
    disk_free_bytes_min: bytesKey({
      default: 256 * 2 ** 20,
      minimum: 2 ** 20,
      maximum: 2 ** 40,
      meaning: 'Appends are refused while less than this is free on the disk.',
      reason: 'A Raft log that can no longer be written ends the process.',
    }),
    cache_bytes_max: bytesKey({
      default: 128 * 2 ** 20,
      minimum: 2 ** 20,
      maximum: 2 ** 40,
      meaning: 'Memory for the newest and the last read batches, and as much for indexes.',
      reason: 'Tails of clients that keep up are read from here.',
    }),
    scrub_bytes_per_second: bytesKey({
      default: 4 * 2 ** 20,
      minimum: 0,
      maximum: 2 ** 30,
      meaning:
        'So much of the complete segments is read each second, over all shards, to find damage and mend ' +
        'it from another replica. 0: only readers find it.',
      reason: 'One TiB in three days, at the cost of one slow stream from the disk.',
    }),
  };
}
