import { booleanKey, bytesKey, integerKey, textKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[cluster]`: with `placement_center`. */
export interface ClusterSection {
  readonly addr: string;
  readonly broker_ip: string;
  readonly advertised_listener: string;
  readonly heartbeat_timeout_ms: number;
  readonly suback_wait_ms: number;
  readonly yield_wait_ms: number;
  readonly link_bytes_max: number;
  readonly serve_without_placement: boolean;
  readonly message_shards: number;
  readonly session_shards: number;
  readonly retained_shards: number;
  readonly shard_replica_num: number;
  readonly cluster_token: string;
  readonly cluster_token_file: string;
  readonly tls_cert: string;
  readonly tls_key: string;
  readonly tls_ca: string;
}

export const clusterSection: SectionDeclaration<ClusterSection> = {
  kind: 'section',
  name: 'cluster',
  meaning: 'The place of this broker in a cluster. Used with placement_center only.',
  keys: { ...placeKeys(), ...waitKeys(), ...shardKeys(), ...secretKeys() },
};

type Keys = SectionDeclaration<ClusterSection>['keys'];

function placeKeys(): Pick<Keys, 'addr' | 'broker_ip' | 'advertised_listener'> {
  return {
    addr: textKey({
      default: '127.0.0.1',
      allowEmpty: false,
      meaning: 'The address that grpc_port is opened on.',
      reason: 'Loopback: nothing is open to the network before it is protected.',
    }),
    broker_ip: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'The address under which the other brokers reach this one. Empty: addr.',
      reason: 'Needed when addr is 0.0.0.0 or behind address translation.',
      aliases: ['broker_ip'],
    }),
    advertised_listener: textKey({
      default: '',
      allowEmpty: true,
      meaning:
        'The address (host:port) that clients are told when another broker sends them here. Empty: broker_ip and the port of the first TCP or TLS listener.',
      reason: 'Needed where clients reach the broker under another address than brokers do.',
    }),
  };
}

function waitKeys(): Pick<
  Keys,
  | 'heartbeat_timeout_ms'
  | 'suback_wait_ms'
  | 'yield_wait_ms'
  | 'link_bytes_max'
  | 'serve_without_placement'
> {
  return {
    heartbeat_timeout_ms: integerKey({
      default: 5000,
      minimum: 1000,
      maximum: 3_600_000,
      meaning: 'A broker that the placement center does not hear of for this long is dead.',
      reason:
        'A broker that is cut off lets its clients go after this time. Shorter takes slow brokers for dead.',
      unit: 'milliseconds',
      aliases: ['heartbeat.heartbeat_timeout_ms', 'meta_runtime.heartbeat_timeout_ms'],
    }),
    suback_wait_ms: integerKey({
      default: 2000,
      minimum: 0,
      maximum: 60_000,
      meaning:
        'How long SUBACK waits until every broker has applied the subscription. Then it leaves all the same, and is counted.',
      reason: 'After SUBACK a message published on any broker arrives. 0: SUBACK promises less.',
      unit: 'milliseconds',
    }),
    yield_wait_ms: integerKey({
      default: 3000,
      minimum: 100,
      maximum: 60_000,
      meaning:
        'How long a broker may take to give a session up that its client wants elsewhere. Then its registration is revoked.',
      reason: 'A broker that hangs must not keep its clients from going elsewhere.',
      unit: 'milliseconds',
    }),
    link_bytes_max: bytesKey({
      default: 16 * 2 ** 20,
      minimum: 64 * 1024,
      maximum: 2 ** 30,
      meaning:
        'What may wait for one other broker. Publishers wait from half of it on; at it QoS 0 is dropped and counted.',
      reason: 'One slow broker must not fill the memory of the others.',
    }),
    serve_without_placement: booleanKey({
      default: true,
      meaning:
        'Whether clients whose session ends with their connection are served while the placement center does not answer.',
      reason: 'They need nothing that is kept there. Durable sessions are refused with 0x88.',
    }),
  };
}

function shardKeys(): Pick<
  Keys,
  'message_shards' | 'session_shards' | 'retained_shards' | 'shard_replica_num'
> {
  const count = (value: number, what: string) =>
    integerKey({
      default: value,
      minimum: 1,
      maximum: 64,
      meaning: `How many shards ${what} are spread over. The same on every broker, for ever.`,
      reason: 'Each is led by one journal server: as many as servers share the work.',
    });
  return {
    message_shards: count(3, 'messages'),
    session_shards: count(3, 'sessions'),
    retained_shards: count(1, 'retained messages'),
    shard_replica_num: integerKey({
      default: 3,
      minimum: 1,
      maximum: 7,
      meaning:
        'On how many journal servers each shard is, when this broker is the first to ask for it.',
      reason: 'Three survive the loss of one.',
      aliases: ['shard.shard_replica_num'],
    }),
  };
}

function secretKeys(): Pick<
  Keys,
  'cluster_token' | 'cluster_token_file' | 'tls_cert' | 'tls_key' | 'tls_ca'
> {
  const pemFile = (what: string) =>
    textKey({
      default: '',
      allowEmpty: true,
      meaning: `A PEM file: ${what}. Empty: the cluster speaks no TLS.`,
      reason: 'All processes of the cluster say the same.',
    });
  return {
    cluster_token: textKey({
      default: '',
      allowEmpty: true,
      secret: true,
      meaning: 'The secret that all processes of the cluster show each other. Empty: none.',
      reason: 'Required where addr is not a loopback address. Prefer cluster_token_file.',
    }),
    cluster_token_file: textKey({
      default: '',
      allowEmpty: true,
      meaning: 'A file whose first line is the cluster token.',
      reason: 'A file can be kept from other users of the machine.',
    }),
    tls_cert: pemFile('the certificate of this broker towards the others, with its chain'),
    tls_key: pemFile('its private key'),
    tls_ca: pemFile('the authorities that the others are checked against'),
  };
}
