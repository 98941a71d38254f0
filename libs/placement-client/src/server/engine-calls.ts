/** EngineService on the registries: shards and segments of the journal. */

import type { CallOptions } from '@robustmq/placement';
import {
  moveShard,
  type Registries,
  type ShardName,
  type ShardState,
} from '@robustmq/placement-registry';
import {
  type engine,
  engineService,
  type Implementation,
  mount,
  type MountedService,
  refusal,
  rpcStatus,
} from '@robustmq/rpc';
import { refusing } from './registry-refusal.ts';
import { limitOf, optionsOf, type ServedRegistries } from './served-registries.ts';
import { type DescribedShard, kindOf, retentionOf, wireSegment, wireShard } from './wire-shard.ts';

/** How many replicas a shard has when nothing is said: it survives the loss of one server. */
const REPLICAS_DEFAULT = 3;

type Methods = Implementation<engine.EngineMethods>;

/** EngineService, for `openRpcServer`. */
export function engineCalls(served: ServedRegistries): MountedService {
  return mount(engineService, {
    ...shardCalls(served),
    ...changeCalls(served),
    ...segmentCalls(served),
  });
}

function shardCalls({
  registriesOf,
  clock,
}: ServedRegistries): Pick<Methods, 'createShard' | 'getShard' | 'listShards' | 'deleteShard'> {
  return {
    createShard: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        const plan = {
          kind: kindOf(request.kind),
          replicas: request.replica === 0 ? REPLICAS_DEFAULT : request.replica,
          retention: retentionOf(request.retention),
          nowMs: clock.nowMs(),
        };
        await registries.shards.create(nameOf(request), plan, call);
        return { shard: await readShard(registries, request, call) };
      }),
    getShard: (request, context) =>
      refusing(async () => ({
        shard: await readShard(registriesOf(request.clusterName), request, optionsOf(context)),
      })),
    listShards: (request, context) =>
      refusing(async () =>
        listShards(registriesOf(request.clusterName), request, optionsOf(context)),
      ),
    deleteShard: (request, context) =>
      refusing(async () => {
        const { shards } = registriesOf(request.clusterName);
        await shards.delete(nameOf(request), optionsOf(context));
        return {};
      }),
  };
}

function changeCalls({
  registriesOf,
}: ServedRegistries): Pick<Methods, 'moveShard' | 'retainShard'> {
  return {
    moveShard: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        const { from, to, leader } = request;
        const move = {
          replica: from === 0 && to === 0 ? null : { from, to },
          leader: leader === 0 ? null : leader,
        };
        await moveShard(registries, { ...nameOf(request), ...move }, call);
        return { shard: await readShard(registries, request, call) };
      }),
    retainShard: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        await registries.shards.retain(nameOf(request), retentionOf(request.retention), call);
        return { shard: await readShard(registries, request, call) };
      }),
  };
}

function segmentCalls({
  registriesOf,
}: ServedRegistries): Pick<Methods, 'createSegment' | 'deleteSegment'> {
  return {
    createSegment: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        const shard = await existing(registries, request, call);
        const segment = await registries.segments.begin(shard.stored.value, null, call);
        return { segment: wireSegment(segment, shard) };
      }),
    deleteSegment: (request, context) =>
      refusing(async () => {
        const { segments } = registriesOf(request.clusterName);
        const name = { ...nameOf(request), segment: request.segmentSeq };
        await segments.delete(name, optionsOf(context));
        return {};
      }),
  };
}

interface ShardRequest {
  readonly clusterName: string;
  readonly namespace: string;
  readonly shardName: string;
}

function nameOf(request: ShardRequest): ShardName {
  return { namespace: request.namespace, shard: request.shardName };
}

async function existing(
  { shards, shardStates }: Registries,
  request: ShardRequest,
  call: CallOptions,
): Promise<DescribedShard> {
  const stored = await shards.read(nameOf(request), call);
  if (stored !== null) {
    const state = await shardStates.read(nameOf(request), call);
    return { stored, state: state?.value ?? null };
  }
  const detail = `shard ${request.namespace}/${request.shardName} does not exist`;
  throw refusal(rpcStatus.NOT_FOUND, detail);
}

async function readShard(
  registries: Registries,
  request: ShardRequest,
  call: CallOptions,
): Promise<engine.Shard> {
  const shard = await existing(registries, request, call);
  const segments: engine.Segment[] = [];
  let after: string | null = null;
  do {
    const page = await registries.segments.list(nameOf(request), { after, limit: 500 }, call);
    for (const item of page.items) segments.push(wireSegment(item.value, shard));
    after = page.next;
  } while (after !== null);
  return wireShard(request.clusterName, shard, segments);
}

/** A shard that was made or told of between the two reads shows without its state. */
async function listShards(
  { shards, shardStates }: Registries,
  request: engine.ListShardsRequest,
  call: CallOptions,
): Promise<engine.ListShardsReply> {
  const namespace = request.namespace === '' ? null : request.namespace;
  const after = request.after === '' ? null : request.after;
  const page = await shards.list(namespace, { after, limit: limitOf(request) }, call);
  const states = new Map<string, ShardState>();
  let statesAfter: string | null = null;
  do {
    const told = await shardStates.list(namespace, { after: statesAfter, limit: 1_000 }, call);
    for (const { names, value } of told.items) states.set(names.join('/'), value);
    statesAfter = told.next;
  } while (statesAfter !== null);
  return {
    shards: page.items.map((stored) => {
      const state = states.get(stored.names.join('/')) ?? null;
      return wireShard(request.clusterName, { stored, state }, []);
    }),
    next: page.next ?? '',
  };
}
