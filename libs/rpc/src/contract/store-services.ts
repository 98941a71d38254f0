/**
 * The services of the store and of the Raft transport: many calls, so their codecs are written by hand
 * and give the domain's own objects.
 */
import type {
  Lease,
  LeaseStatus,
  RangeReply,
  RangeRequest,
  Transaction,
  TransactionResult,
  WatchRequest,
} from '@robustmq/placement';
import { codecOf, emptyCodec } from '../codec/codec-of.ts';
import { exchangeFramesCodec } from '../codec/exchange.ts';
import {
  type HealthReply,
  healthReplyCodec,
  type HealthRequest,
  healthRequestCodec,
} from '../codec/health.ts';
import * as keyValue from '../codec/key-value.ts';
import * as lease from '../codec/lease.ts';
import * as pipeline from '../codec/pipeline.ts';
import * as singleKey from '../codec/single-key.ts';
import * as transaction from '../codec/transaction.ts';
import * as watch from '../codec/watch.ts';
import type {
  Codec,
  DuplexMethod,
  ServerStreamMethod,
  ServiceContract,
  UnaryMethod,
} from './method.ts';

/** A message without fields. */
export type Empty = Record<string, never>;

/** Reads and changes keys. */
export interface KvMethods {
  /** Puts one key, whatever was there. */
  readonly set: UnaryMethod<singleKey.SetRequest, singleKey.RevisionReply>;
  /** Reads one key, linearizably. */
  readonly get: UnaryMethod<singleKey.KeyRequest, singleKey.GetReply>;
  /** Deletes one key; `present` tells whether there was one. */
  readonly delete: UnaryMethod<singleKey.KeyRequest, singleKey.PresenceReply>;
  /** Tells whether one key exists, linearizably. */
  readonly exists: UnaryMethod<singleKey.KeyRequest, singleKey.PresenceReply>;
  /** Reads a range of keys. */
  readonly range: UnaryMethod<RangeRequest, RangeReply>;
  /** Compares, then changes, as one step. */
  readonly transact: UnaryMethod<Transaction, TransactionResult>;
  /** Forgets history. */
  readonly compact: UnaryMethod<singleKey.CompactRequest, Empty>;
  /** Any number of calls on one stream, in batches; replies come in any order. */
  readonly pipeline: DuplexMethod<
    readonly pipeline.PipelineRequest[],
    readonly pipeline.PipelineReply[]
  >;
}

/** Grants leases and keeps them alive. */
export interface LeaseMethods {
  readonly grant: UnaryMethod<lease.GrantLeaseRequest, Lease>;
  /** One reply per request, in order. */
  readonly keepAlive: DuplexMethod<lease.LeaseRequest, Lease>;
  readonly revoke: UnaryMethod<lease.LeaseRequest, Empty>;
  readonly timeToLive: UnaryMethod<lease.LeaseRequest, LeaseStatus>;
  /** Ascending by id. */
  readonly leases: UnaryMethod<lease.ListLeasesRequest, lease.ListLeasesReply>;
}

/** Streams changes. */
export interface WatchMethods {
  /** The first message has no events and tells where the watch begins. */
  readonly watch: ServerStreamMethod<WatchRequest, watch.WatchMessage>;
}

/** Carries Raft frames. */
export interface RaftTransportMethods {
  readonly exchange: DuplexMethod<readonly Uint8Array[], Empty>;
}

/** Tells whether services answer. */
export interface HealthMethods {
  readonly check: UnaryMethod<HealthRequest, HealthReply>;
  readonly watch: ServerStreamMethod<HealthRequest, HealthReply>;
}

const leaseCodec: Codec<Lease> = codecOf(lease.writeLease, lease.readLease);
const leaseRequestCodec: Codec<lease.LeaseRequest> = codecOf(
  lease.writeLeaseRequest,
  lease.readLeaseRequest,
);
const keyCodec: Codec<singleKey.KeyRequest> = codecOf(singleKey.writeKey, singleKey.readKey);
const revisionCodec: Codec<singleKey.RevisionReply> = codecOf(
  singleKey.writeRevision,
  singleKey.readRevision,
);
const presenceCodec: Codec<singleKey.PresenceReply> = codecOf(
  singleKey.writePresence,
  singleKey.readPresence,
);

const KV = 'robustmq.placement.v1.KvService';

/** {@link KvMethods} */
export const kvService: ServiceContract<KvMethods> = {
  name: KV,
  methods: {
    set: {
      kind: 'unary',
      path: `/${KV}/Set`,
      request: codecOf(singleKey.writeSet, singleKey.readSet),
      reply: revisionCodec,
    },
    get: {
      kind: 'unary',
      path: `/${KV}/Get`,
      request: keyCodec,
      reply: codecOf(singleKey.writeGetReply, singleKey.readGetReply),
    },
    delete: { kind: 'unary', path: `/${KV}/Delete`, request: keyCodec, reply: presenceCodec },
    exists: { kind: 'unary', path: `/${KV}/Exists`, request: keyCodec, reply: presenceCodec },
    range: {
      kind: 'unary',
      path: `/${KV}/Range`,
      request: codecOf(keyValue.writeRangeRequest, keyValue.readRangeRequest),
      reply: codecOf(keyValue.writeRangeReply, keyValue.readRangeReply),
    },
    transact: {
      kind: 'unary',
      path: `/${KV}/Transact`,
      request: codecOf(transaction.writeTransaction, transaction.readTransaction),
      reply: codecOf(transaction.writeTransactionResult, transaction.readTransactionResult),
    },
    compact: { kind: 'unary', path: `/${KV}/Compact`, request: revisionCodec, reply: emptyCodec },
    pipeline: {
      kind: 'duplex',
      path: `/${KV}/Pipeline`,
      request: pipeline.pipelineRequestsCodec,
      reply: pipeline.pipelineRepliesCodec,
    },
  },
};

const LEASE = 'robustmq.placement.v1.LeaseService';

/** {@link LeaseMethods} */
export const leaseService: ServiceContract<LeaseMethods> = {
  name: LEASE,
  methods: {
    grant: {
      kind: 'unary',
      path: `/${LEASE}/Grant`,
      request: codecOf(lease.writeGrantLease, lease.readGrantLease),
      reply: leaseCodec,
    },
    keepAlive: {
      kind: 'duplex',
      path: `/${LEASE}/KeepAlive`,
      request: leaseRequestCodec,
      reply: leaseCodec,
    },
    revoke: {
      kind: 'unary',
      path: `/${LEASE}/Revoke`,
      request: leaseRequestCodec,
      reply: emptyCodec,
    },
    timeToLive: {
      kind: 'unary',
      path: `/${LEASE}/TimeToLive`,
      request: leaseRequestCodec,
      reply: codecOf(lease.writeLeaseStatus, lease.readLeaseStatus),
    },
    leases: {
      kind: 'unary',
      path: `/${LEASE}/Leases`,
      request: codecOf(lease.writeListLeases, lease.readListLeases),
      reply: codecOf(lease.writeListLeasesReply, lease.readListLeasesReply),
    },
  },
};

/** {@link WatchMethods} */
export const watchService: ServiceContract<WatchMethods> = {
  name: 'robustmq.placement.v1.WatchService',
  methods: {
    watch: {
      kind: 'serverStream',
      path: '/robustmq.placement.v1.WatchService/Watch',
      request: codecOf(watch.writeWatchRequest, watch.readWatchRequest),
      reply: codecOf(watch.writeWatchMessage, watch.readWatchMessage),
    },
  },
};

/** {@link RaftTransportMethods} */
export const raftTransportService: ServiceContract<RaftTransportMethods> = {
  name: 'robustmq.raft.v1.RaftTransportService',
  methods: {
    exchange: {
      kind: 'duplex',
      path: '/robustmq.raft.v1.RaftTransportService/Exchange',
      request: exchangeFramesCodec,
      reply: emptyCodec,
    },
  },
};

/** {@link HealthMethods} */
export const healthService: ServiceContract<HealthMethods> = {
  name: 'grpc.health.v1.Health',
  methods: {
    check: {
      kind: 'unary',
      path: '/grpc.health.v1.Health/Check',
      request: healthRequestCodec,
      reply: healthReplyCodec,
    },
    watch: {
      kind: 'serverStream',
      path: '/grpc.health.v1.Health/Watch',
      request: healthRequestCodec,
      reply: healthReplyCodec,
    },
  },
};
