import { integerKey, integerOrWordKey, textKey, textListKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** The keys at the top of the file: who this node is, and its ports for administrators. */
export interface NodeSection {
  readonly cluster_name: string;
  readonly broker_id: number;
  readonly workers: number;
  readonly grpc_port: number | 'off';
  readonly http_host: string;
  readonly http_port: number | 'off';
  readonly placement_center: readonly string[];
}

export const nodeSection: SectionDeclaration<NodeSection> = {
  kind: 'section',
  name: '',
  meaning: 'Who this node is, and its ports for administrators.',
  keys: {
    cluster_name: textKey({
      default: 'robustmq',
      allowEmpty: false,
      meaning: 'The name of the cluster this node belongs to.',
      reason: 'Nodes with another name are refused, so that two clusters never mix.',
    }),
    broker_id: integerKey({
      default: 1,
      minimum: 1,
      maximum: 65535,
      meaning: 'The number of this node, unique in its cluster.',
      reason:
        'It is part of message identifiers and of $SYS topics; never reuse it for another node.',
      aliases: ['node_id', 'node.node_id'],
    }),
    workers: integerKey({
      default: 1,
      minimum: 1,
      maximum: 64,
      meaning:
        'Processes that share the ports for clients, in a cluster. Each is a member: worker k has broker_id, grpc_port and http_port 1000·(k − 1) higher.',
      reason: 'One process uses one core. As many as cores, less those for other processes.',
    }),
    grpc_port: integerOrWordKey({
      default: 9981,
      minimum: 0,
      maximum: 65535,
      word: 'off',
      meaning: 'The port on which other nodes reach this one. Not opened by a standalone node.',
      reason: 'The port that RobustMQ brokers are known by.',
      unit: 'port',
    }),
    http_host: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning:
        'The address of the HTTP server: /health/ready, /metrics and the administration interface.',
      reason: 'It has no login: open it beyond this machine only behind something that has.',
      aliases: ['network.http_host'],
    }),
    http_port: integerOrWordKey({
      default: 9982,
      minimum: 0,
      maximum: 65535,
      word: 'off',
      meaning: 'The port of the HTTP server. 0 lets the system choose.',
      reason: 'The port that RobustMQ brokers are known by. "off" also takes `status` its answers.',
      unit: 'port',
    }),
    placement_center: textListKey({
      default: [],
      meaning: 'The addresses (host:port) of the placement center. Empty: this node stands alone.',
      reason: 'A standalone node needs none.',
      aliases: ['meta_addrs'],
    }),
  },
};
