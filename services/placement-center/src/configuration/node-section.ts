import {
  booleanKey,
  choiceKey,
  clusterTokenKeys,
  integerKey,
  integerOrWordKey,
  textKey,
  textMapKey,
} from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** The keys at the top of the file: who this member is, where it listens, and where its data is. */
export interface NodeSection {
  readonly cluster_name: string;
  readonly node_id: number;
  readonly addr: string;
  readonly grpc_port: number;
  readonly http_host: string;
  readonly http_port: number | 'off';
  readonly nodes: Readonly<Record<string, string>>;
  readonly join: boolean;
  readonly data_path: string;
  readonly backend: 'raft' | 'etcd';
  readonly heartbeat_timeout_ms: number;
  readonly heartbeat_check_time_ms: number;
  readonly journal_server_lost_after_ms: number;
  readonly cluster_token: string;
  readonly cluster_token_file: string;
}

export const nodeSection: SectionDeclaration<NodeSection> = {
  kind: 'section',
  name: '',
  meaning: 'Who this member of the placement center is, where it listens, and where its data is.',
  keys: {
    cluster_name: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The name of the cluster.',
      reason: 'Members with another name are refused, so that two clusters never mix.',
    }),
    node_id: integerKey({
      default: 1,
      minimum: 1,
      maximum: 65535,
      meaning: 'The number of this member, unique in its cluster.',
      reason: 'Never reuse it for another member, nor for the same one after its disk is lost.',
      aliases: ['node.node_id'],
    }),
    addr: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning: 'The address to listen on.',
      reason: 'Loopback: nothing is open to the network before it is protected.',
    }),
    grpc_port: integerKey({
      default: 1228,
      minimum: 0,
      maximum: 65535,
      meaning: 'The port of gRPC: other members, brokers and `robustctl place` connect here.',
      reason: 'The port that RobustMQ is known by.',
      unit: 'port',
    }),
    http_host: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning: 'The address of the HTTP server: /health/ready and /metrics.',
      reason: 'It has no login: open it beyond this machine only behind something that has.',
    }),
    http_port: integerOrWordKey({
      default: 1227,
      minimum: 0,
      maximum: 65535,
      word: 'off',
      meaning: 'The port of the HTTP server. 0 lets the system choose.',
      reason: 'The port that RobustMQ is known by.',
      unit: 'port',
    }),
    ...membershipKeys(),
    ...operationKeys(),
  },
};

type MembershipKeys = Pick<NodeSection, 'nodes' | 'join' | 'data_path' | 'backend'>;

function membershipKeys(): SectionDeclaration<MembershipKeys>['keys'] {
  return {
    nodes: textMapKey({
      default: { 1: '127.0.0.1:1228' },
      meaning:
        'The founding members: node number = "host:port". With join = true: members to ask. ' +
        'Addresses of members that were added later are kept by the cluster itself.',
      reason: 'One member is a cluster of one; three survive the loss of one.',
      aliases: ['node.nodes'],
    }),
    join: booleanKey({
      default: false,
      meaning:
        'This member joins a cluster that exists: it waits until `robustctl place add-learner` names it.',
      reason: 'Without it a fresh data directory founds a cluster together with all in nodes.',
    }),
    data_path: textKey({
      default: 'data/placement-center',
      allowEmpty: false,
      meaning: 'The directory of the Raft log and of the state.',
      reason: 'Relative to the working directory. Put it on a disk that survives.',
    }),
    backend: choiceKey({
      default: 'raft',
      choices: ['raft', 'etcd'],
      meaning:
        '"raft": this process is a member and stores the data. "etcd": an etcd of yours stores it, see [etcd].',
      reason: 'Nothing else has to run.',
    }),
  };
}

type OperationKeys = Pick<
  NodeSection,
  | 'heartbeat_timeout_ms'
  | 'heartbeat_check_time_ms'
  | 'journal_server_lost_after_ms'
  | 'cluster_token'
  | 'cluster_token_file'
>;

function operationKeys(): SectionDeclaration<OperationKeys>['keys'] {
  return {
    heartbeat_timeout_ms: integerKey({
      default: 30_000,
      minimum: 1000,
      maximum: 3_600_000,
      meaning: 'A registered node (a broker, say) not heard of for this long is taken for dead.',
      reason: 'Shorter finds failures sooner and takes slow nodes for dead.',
      unit: 'milliseconds',
    }),
    heartbeat_check_time_ms: integerKey({
      default: 1000,
      minimum: 10,
      maximum: 60_000,
      meaning: 'How often leases, and with them registered nodes, are looked at.',
      reason: 'Must be well below heartbeat_timeout_ms.',
      unit: 'milliseconds',
    }),
    journal_server_lost_after_ms: integerKey({
      default: 60_000,
      minimum: 1000,
      maximum: 86_400_000,
      meaning:
        'A journal server that is not registered for this long is lost: other servers get its replicas.',
      reason: 'Longer than a restart takes, or a restart copies every shard of the server.',
      unit: 'milliseconds',
    }),
    ...clusterTokenKeys('members, brokers and `robustctl`'),
  };
}
