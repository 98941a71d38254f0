export { Backoff, type BackoffOptions } from './backoff.ts';
export { ClientDuplex } from './client/client-duplex.ts';
export {
  defaultChannelLimits,
  type MethodCall,
  openChannel,
  type RpcChannel,
  type RpcChannelLimits,
  type RpcChannelOptions,
  type ServiceClient,
  type StreamOptions,
} from './client/rpc-channel.ts';
export type { JournalReplyFault } from './codec/journal-fault.ts';
export { changeCredit, recordCredit } from './codec/journal-parts.ts';
export {
  type ChangesOutcome,
  type JournalOutcome,
  journalRepliesCodec,
  type JournalReply,
  type RecordsOutcome,
} from './codec/journal-replies.ts';
export {
  type AppendCall,
  type JournalCall,
  journalRequestsCodec,
  type JournalRequest,
  type WireSelector,
} from './codec/journal-requests.ts';
export type { HealthReply, HealthRequest, ServingStatus } from './codec/health.ts';
export type {
  GrantLeaseRequest,
  LeaseRequest,
  ListLeasesReply,
  ListLeasesRequest,
} from './codec/lease.ts';
export type {
  PipelineCall,
  PipelineOutcome,
  PipelineReply,
  PipelineRequest,
} from './codec/pipeline.ts';
export type {
  CompactRequest,
  GetReply,
  KeyRequest,
  PresenceReply,
  RevisionReply,
  SetRequest,
} from './codec/single-key.ts';
export { watchBatchesOf, type WatchMessage, watchMessagesOf } from './codec/watch.ts';
export {
  clusterService,
  engineService,
  mqttBrokerService,
  mqttService,
  placementCenterService,
} from './contract/control-services.ts';
export {
  calledJournalService,
  type CalledJournalMethods,
  journalService,
  type JournalMethods,
  servedJournalService,
  type ServedJournalMethods,
} from './contract/journal-exchange.ts';
export { type RepairMethods, repairService } from './contract/replica-repair.ts';
export type { ReadEntriesReply, ReadEntriesRequest } from './codec/repair.ts';
export type {
  AnyMethod,
  Codec,
  DuplexMethod,
  ServerStreamMethod,
  ServiceContract,
  UnaryMethod,
} from './contract/method.ts';
export {
  type Empty,
  healthService,
  type HealthMethods,
  type KvMethods,
  kvService,
  type LeaseMethods,
  leaseService,
  type RaftTransportMethods,
  raftTransportService,
  type WatchMethods,
  watchService,
} from './contract/store-services.ts';
export type { DuplexCall } from './duplex-call.ts';
export {
  type Credentials,
  type CredentialSettings,
  credentialSettingsFrom,
  readCredentials,
  type TlsSettings,
  type TokenSource,
} from './credentials.ts';
export { placementFaultOf, statusOf } from './fault-status.ts';
export { type BatchSink, OutgoingBatches } from './pipeline/outgoing-batches.ts';
export { GrpcPeerTransport } from './peer/grpc-peer-transport.ts';
export {
  defaultPeerLimits,
  type PeerObserver,
  type PeerTransportCounters,
  type PeerTransportLimits,
  type PeerTransportOptions,
} from './peer/peer-transport-options.ts';
export {
  defaultPipelineClientLimits,
  type OutcomeOf,
  PipelineClient,
  type PipelineClientLimits,
} from './pipeline/pipeline-client.ts';
export { refusal, RpcError, type RpcFailure, type RpcStatus, rpcStatus } from './rpc-error.ts';
export {
  type CallContext,
  type Implementation,
  type MethodImplementation,
  mount,
  type MountedService,
} from './server/implementation.ts';
export { type CallEnd, type RpcObserver, silentObserver } from './server/interceptor.ts';
export {
  defaultServerLimits,
  openRpcServer,
  type RpcServer,
  type RpcServerLimits,
  type RpcServerOptions,
} from './server/rpc-server.ts';
export { readFirstBytes } from './server/first-bytes.ts';
export type { OtherConnections } from './server/shared-port.ts';
export {
  type ChannelTls,
  readPem,
  RpcSetupError,
  type RpcSetupFault,
  type ServerTls,
} from './tls.ts';
import type * as broker from './generated/broker.ts';
import type * as cluster from './generated/cluster.ts';
import type * as engine from './generated/engine.ts';
import type * as mqtt from './generated/mqtt.ts';
import type * as placementCenter from './generated/placement-center.ts';

/** The messages of the control plane, by service: `mqtt.CreateUserRequest`. */
export type { broker, cluster, engine, mqtt, placementCenter };
