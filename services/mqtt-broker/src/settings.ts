import type { ListenerOptions } from '@robustmq/transport';
import type { MediaSettings } from './media-settings.ts';

/** Everything the broker can be told, fully resolved: no default is applied below this line. */
export interface BrokerSettings {
  readonly nodeId: number;
  readonly clusterName: string;
  /** Processes that share the ports for clients; more than one in a cluster only. */
  readonly workers: number;
  readonly version: string;
  readonly listeners: readonly ListenerOptions[];
  readonly protocol: ProtocolSettings;
  readonly limits: LimitSettings;
  readonly storage: StorageSettings;
  /** null: this broker stands alone. */
  readonly cluster: ClusterPlace | null;
  readonly access: AccessSettings;
  readonly sharedSubscriptions: { readonly strategy: SharedSubscriptionStrategy };
  readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number };
  readonly sysTopics: { readonly enabled: boolean; readonly intervalSeconds: number };
  /** Processor time that the broker spends on running its own code before it serves; 0: none. */
  readonly warmUpMs: number;
  /** SIGTERM: connections are told and closed within this time, at most 5 s. */
  readonly drainTimeoutMs: number;
}

export type SharedSubscriptionStrategy =
  | 'round_robin'
  | 'random'
  | 'sticky'
  | 'hash_client'
  | 'hash_topic'
  | 'least_inflight';

/** What the broker offers its clients (MQTT-5.0 §3.2.2.3). */
export interface ProtocolSettings {
  /** 3, 4 or 5: lower protocol levels are refused. */
  readonly minimumVersion: 3 | 4 | 5;
  readonly maximumQos: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifiersAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  readonly maximumPacketSizeBytes: number;
  /** How many unacknowledged QoS 1 and 2 PUBLISH packets one client may have under way to us. */
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  /** Aliases that we use towards clients that allow them; 0 turns it off. */
  readonly topicAliasMaximumOutbound: number;
  /** Server Keep Alive for 5.0 clients whose own is longer, or none; 0: their own holds. */
  readonly serverKeepAliveSeconds: number;
  /** A larger (or, when not 0, no) keep alive is replaced by this one for 5.0; for 3.x it is the silence tolerated. 0: no cap. */
  readonly keepAliveSecondsMax: number;
  /** 0xFFFFFFFF: unlimited. Also bounds sessions of 3.x clients with clean session 0. */
  readonly sessionExpirySecondsMax: number;
  /** 0: unlimited. */
  readonly messageExpirySecondsMax: number;
  /** Sent as Response Information to clients that ask; empty: none. */
  readonly responseInformation: string;
  /** Filters whose SUBSCRIBE is refused for everybody, such as `test/nosubscribe`. */
  readonly refusedSubscriptions: readonly string[];
}

/** Every bound that keeps memory flat (docs/reference/limits.md). */
export interface LimitSettings {
  readonly connectTimeoutMs: number;
  readonly topicLevelsMax: number;
  readonly topicBytesMax: number;
  readonly clientIdBytesMax: number;
  readonly filtersPerSubscribeMax: number;
  readonly subscriptionsPerClientMax: number;
  readonly userPropertiesPerPacketMax: number;
  readonly sessionsMax: number;
  /** Unacknowledged QoS 1 and 2 messages that we send one client at once, also for 3.x. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Messages and bytes waiting in memory for one connected client; QoS 0 beyond it is dropped and counted. */
  readonly queuedMessagesMax: number;
  readonly queuedBytesMax: number;
  /** Encoded bytes waiting for one socket. */
  readonly outputBytesMax: number;
  /** Sum of everything that waits, over all clients: above it publishers are paused. */
  readonly memoryBytesMax: number;
  readonly retainedMessagesMax: number;
  readonly retainedBytesMax: number;
  /** New connections a second from one address; 0: unlimited. */
  readonly connectionsPerSecondPerAddressMax: number;
  /** Clients of a cluster that are let in at the same time, and that wait for it. */
  readonly connectsDecidingMax: number;
  readonly connectsWaitingMax: number;
  /** Published messages a second and client, and bytes a second and client; 0: unlimited. */
  readonly publishesPerSecondPerClientMax: number;
  readonly publishBytesPerSecondPerClientMax: number;
}

export interface StorageSettings {
  /** `journal`: the shards of a cluster. */
  readonly kind: 'memory' | 'segment' | 'level' | 'jetstream' | 'postgres' | 's3' | 'journal';
  readonly media: MediaSettings;
  readonly directory: string;
  readonly segmentBytesMax: number;
  /** Size of the whole journal at which durable publishes are refused (0x97); 0: only the disk's. */
  readonly journalBytesMax: number;
  /** Free disk space below which durable publishes are refused. */
  readonly diskFreeBytesMin: number;
  /** Size of the journal above which the readers furthest behind lose their oldest messages; 0: never. */
  readonly readerLagBytesMax: number;
  /** Age at which a message that a reader has not taken is given up; 0: never. */
  readonly readerLagSecondsMax: number;
  /** `sync`: PUBACK after the flush. `memory`: before it; the name says what is at risk. */
  readonly acknowledge: 'sync' | 'memory';
}

export interface AccessSettings {
  /** Clients without user name on listeners that are not loopback-only. Said in as many words or refused at start. */
  readonly allowAnonymousRemote: boolean;
  readonly allowAnonymousLoopback: boolean;
  readonly passwordFile: string | null;
  readonly rulesFile: string | null;
  /** What holds when no rule matches. */
  readonly defaultVerdict: 'allow' | 'deny';
  /** Whether clients without a user name that are not on this machine may read `$SYS`. */
  readonly sysTopicsForAnonymousRemote: boolean;
  /** A verified client certificate's common name is the user name. */
  readonly certificateAsUsername: boolean;
}

/** The place of a broker in a cluster. */
export interface ClusterPlace {
  /** Some members of the placement center, as `host:port`. */
  readonly placementCenter: readonly string[];
  /** Where the port for other brokers is opened; 0: any that is free. */
  readonly host: string;
  readonly port: number;
  /** As the others reach it. */
  readonly brokerIp: string;
  /** Where clients reach it, `host:port`; null: it tells nobody. */
  readonly mqttAddress: string | null;
  readonly leaseSeconds: number;
  readonly subackWaitMs: number;
  readonly yieldWaitMs: number;
  readonly callDeadlineMs: number;
  readonly linkBytesMax: number;
  readonly frameBytesMax: number;
  readonly serveWithoutPlacement: boolean;
  readonly shards: {
    readonly messages: number;
    readonly sessions: number;
    readonly retained: number;
  };
  readonly shardReplicas: number;
  /** null: none is shown or asked for. */
  readonly token:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly path: string }
    | null;
  /** Paths of PEM files; null: in clear. */
  readonly tls: {
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly authorityFile: string | null;
  } | null;
}
