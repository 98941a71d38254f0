/** PlacementCenterService on the registries: membership, configuration, identifiers. */

import type { CallOptions } from '@robustmq/placement';
import {
  CLUSTER_TYPES,
  type ClusterType,
  type NodeName,
  type NodeRecord,
} from '@robustmq/placement-registry';
import {
  type CallContext,
  type Implementation,
  mount,
  type MountedService,
  type placementCenter,
  placementCenterService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import { refusing } from './registry-refusal.ts';
import { optionsOf, type ServedRegistries } from './served-registries.ts';

/** What PlacementCenterService needs besides the registries. */
export interface PlacementCenterOptions extends ServedRegistries {
  /** How long a node stays registered without a heartbeat. */
  readonly heartbeatTimeoutMs: number;
  /** How long idempotent data is kept at least. */
  readonly idempotenceKeepMs: number;
  /** Of this member; null: UNIMPLEMENTED. */
  readonly clusterStatus:
    | ((options: CallOptions) => Promise<placementCenter.ClusterStatusReply>)
    | null;
}

/** The same order as {@link CLUSTER_TYPES}. */
const WIRE_TYPES: readonly placementCenter.ClusterType[] = [
  'PlacementCenter',
  'JournalServer',
  'MQTTBrokerServer',
  'AMQPBrokerServer',
];

/** PlacementCenterService, for `openRpcServer`. */
export function placementCenterCalls(options: PlacementCenterOptions): MountedService {
  return mount(placementCenterService, {
    ...membership(options),
    ...settings(options),
    ...identifiers(options),
    ...cluster(options),
  });
}

type Methods = Implementation<placementCenter.PlacementCenterMethods>;

function membership(
  options: PlacementCenterOptions,
): Pick<Methods, 'registerNode' | 'unRegisterNode' | 'heartbeat' | 'nodeList'> {
  const { clock, heartbeatTimeoutMs } = options;
  return {
    registerNode: (request, context) =>
      refusing(async () => {
        const { nodes } = options.registriesOf(request.clusterName);
        const node = {
          ...nameOf(request),
          nodeIp: request.nodeIp,
          innerAddress: request.nodeInnerAddr,
          extendInfo: request.extendInfo,
        };
        const ttlSeconds = Math.max(1, Math.ceil(heartbeatTimeoutMs / 1000));
        const life = { ttlSeconds, nowMs: clock.nowMs() };
        const registration = await nodes.register(node, life, optionsOf(context));
        const { incarnation } = registration.node;
        return { incarnation, lease: registration.lease, heartbeatTimeoutMs };
      }),
    unRegisterNode: (request, context) =>
      refusing(async () => {
        const { nodes } = options.registriesOf(request.clusterName);
        await nodes.unregister(nameOf(request), optionsOf(context));
        return {};
      }),
    heartbeat: (request, context) => refusing(() => beat(options, request, context)),
    nodeList: (request, context) =>
      refusing(async () => {
        const { nodes } = options.registriesOf(request.clusterName);
        const types =
          request.clusterType === undefined ? CLUSTER_TYPES : [typeOf(request.clusterType)];
        const call = optionsOf(context);
        const lists = await Promise.all(types.map((type) => nodes.listAll(type, call)));
        const all = lists.flat().sort((first, second) => first.nodeId - second.nodeId);
        return { nodes: all.map((node) => wireNode(node, request.clusterName)) };
      }),
  };
}

async function beat(
  options: PlacementCenterOptions,
  request: placementCenter.HeartbeatRequest,
  context: CallContext,
): Promise<placementCenter.HeartbeatReply> {
  const { nodes } = options.registriesOf(request.clusterName);
  const call = optionsOf(context);
  const stored = await nodes.read(nameOf(request), call);
  if (stored === null || stored.lease === null) {
    throw refusal(rpcStatus.NOT_FOUND, `node ${request.nodeId} is not registered: register again`);
  }
  await nodes.heartbeat({ node: stored.value, lease: stored.lease }, call);
  return { incarnation: stored.value.incarnation };
}

function settings(
  options: PlacementCenterOptions,
): Pick<Methods, 'setResourceConfig' | 'getResourceConfig' | 'deleteResourceConfig'> {
  return {
    setResourceConfig: ({ clusterName, resources, config }, context) =>
      refusing(async () => {
        const setting = { resource: resources, content: config };
        await options.registriesOf(clusterName).settings.save(setting, null, optionsOf(context));
        return {};
      }),
    getResourceConfig: ({ clusterName, resources }, context) =>
      refusing(async () => {
        const { settings: registry } = options.registriesOf(clusterName);
        const stored = await registry.read(resources, optionsOf(context));
        return stored === null ? {} : { config: stored.value.content };
      }),
    deleteResourceConfig: ({ clusterName, resources }, context) =>
      refusing(async () => {
        await options.registriesOf(clusterName).settings.delete(resources, optionsOf(context));
        return {};
      }),
  };
}

function identifiers(
  options: PlacementCenterOptions,
): Pick<
  Methods,
  'generateUniqueId' | 'setIdempotentData' | 'existsIdempotentData' | 'deleteIdempotentData'
> {
  return {
    generateUniqueId: (request, context) =>
      refusing(async () => {
        const size = request.count === 0 ? 1 : request.count;
        const { uniqueIds } = options.registriesOf(request.clusterName);
        const kind = request.generateType === '' ? 'default' : request.generateType;
        const block = await uniqueIds.takeBlock(kind, size, optionsOf(context));
        return { id: block.first, count: size };
      }),
    setIdempotentData: (request, context) =>
      refusing(async () => {
        const expiresAtMs = options.clock.nowMs() + options.idempotenceKeepMs;
        const record = { producer: request.producerId, sequence: request.seqNum, expiresAtMs };
        const { idempotence } = options.registriesOf(request.clusterName);
        await idempotence.mark(record, optionsOf(context));
        return {};
      }),
    existsIdempotentData: (request, context) =>
      refusing(async () => {
        const name = { producer: request.producerId, sequence: request.seqNum };
        const { idempotence } = options.registriesOf(request.clusterName);
        return { exists: await idempotence.isMarked(name, optionsOf(context)) };
      }),
    deleteIdempotentData: (request, context) =>
      refusing(async () => {
        const name = { producer: request.producerId, sequence: request.seqNum };
        const { idempotence } = options.registriesOf(request.clusterName);
        await idempotence.forget(name, optionsOf(context));
        return {};
      }),
  };
}

function cluster(
  options: PlacementCenterOptions,
): Pick<Methods, 'reportMonitor' | 'clusterStatus' | 'sendRaftMessage' | 'sendRaftConfChange'> {
  return {
    reportMonitor: ({ clusterName, ...report }, context) =>
      refusing(async () => {
        const content = new TextEncoder().encode(JSON.stringify(report));
        const document = { kind: 'node-monitor', name: String(report.nodeId), content };
        await options.registriesOf(clusterName).documents.save(document, null, optionsOf(context));
        return {};
      }),
    clusterStatus: async (_request, context) => {
      if (options.clusterStatus !== null) return options.clusterStatus(optionsOf(context));
      throw refusal(rpcStatus.UNIMPLEMENTED, 'the state of the group is not known here');
    },
    sendRaftMessage: async () => {
      const service = 'robustmq.raft.v1.RaftTransportService';
      throw refusal(rpcStatus.UNIMPLEMENTED, `Raft frames travel over ${service}`);
    },
    sendRaftConfChange: async () => {
      const service = 'robustmq.cluster.v1.ClusterService';
      throw refusal(rpcStatus.UNIMPLEMENTED, `members are changed through ${service}`);
    },
  };
}

function nameOf(request: {
  readonly clusterType: placementCenter.ClusterType;
  readonly nodeId: number;
}): NodeName {
  return { clusterType: typeOf(request.clusterType), nodeId: request.nodeId };
}

function typeOf(wire: placementCenter.ClusterType): ClusterType {
  const type = CLUSTER_TYPES[WIRE_TYPES.indexOf(wire)];
  if (type === undefined) throw refusal(rpcStatus.INVALID_ARGUMENT, `no cluster type ${wire}`);
  return type;
}

function wireNode(node: NodeRecord, clusterName: string): placementCenter.Node {
  return {
    clusterType: WIRE_TYPES[CLUSTER_TYPES.indexOf(node.clusterType)] ?? 'PlacementCenter',
    clusterName,
    nodeIp: node.nodeIp,
    nodeId: node.nodeId,
    nodeInnerAddr: node.innerAddress,
    extendInfo: node.extendInfo,
    incarnation: node.incarnation,
    registeredAtMs: node.registeredAtMs,
  };
}
