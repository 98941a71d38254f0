/** EngineService on the registries: shards and segments of the journal. */

import type { CallOptions } from '@robustmq/placement';
import type {
  Registries,
  SegmentRecord,
  ShardName,
  ShardRecord,
  Stored,
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
import { optionsOf, type ServedRegistries } from './served-registries.ts';

/** EngineService, for `openRpcServer`. */
export function engineCalls({ registriesOf, clock }: ServedRegistries): MountedService {
  const implementation: Implementation<engine.EngineMethods> = {
    createShard: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        const plan = { replicas: Math.max(1, request.replica), nowMs: clock.nowMs() };
        await registries.shards.create(nameOf(request), plan, call);
        return { shard: await readShard(registries, request, call) };
      }),
    getShard: (request, context) =>
      refusing(async () => ({
        shard: await readShard(registriesOf(request.clusterName), request, optionsOf(context)),
      })),
    deleteShard: (request, context) =>
      refusing(async () => {
        const { shards } = registriesOf(request.clusterName);
        await shards.delete(nameOf(request), optionsOf(context));
        return {};
      }),
    createSegment: (request, context) =>
      refusing(async () => {
        const call = optionsOf(context);
        const registries = registriesOf(request.clusterName);
        const { value: shard } = await existing(registries, request, call);
        return { segment: wireSegment(await registries.segments.begin(shard, null, call), shard) };
      }),
    deleteSegment: (request, context) =>
      refusing(async () => {
        const { segments } = registriesOf(request.clusterName);
        const name = { ...nameOf(request), segment: request.segmentSeq };
        await segments.delete(name, optionsOf(context));
        return {};
      }),
  };
  return mount(engineService, implementation);
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
  { shards }: Registries,
  request: ShardRequest,
  call: CallOptions,
): Promise<Stored<ShardRecord>> {
  const stored = await shards.read(nameOf(request), call);
  if (stored !== null) return stored;
  const detail = `shard ${request.namespace}/${request.shardName} does not exist`;
  throw refusal(rpcStatus.NOT_FOUND, detail);
}

async function readShard(
  registries: Registries,
  request: ShardRequest,
  call: CallOptions,
): Promise<engine.Shard> {
  const { value, createRevision } = await existing(registries, request, call);
  const segments: engine.Segment[] = [];
  let after: string | null = null;
  do {
    const page = await registries.segments.list(nameOf(request), { after, limit: 500 }, call);
    for (const item of page.items) segments.push(wireSegment(item.value, value));
    after = page.next;
  } while (after !== null);
  return {
    clusterName: request.clusterName,
    namespace: value.namespace,
    shardName: value.shard,
    shardId: createRevision,
    replica: value.replicas.length,
    segments,
    createTime: value.createdAtMs,
  };
}

function wireSegment(segment: SegmentRecord, shard: ShardRecord): engine.Segment {
  return {
    segmentSeq: segment.segment,
    replicas: shard.replicas,
    leader: shard.leader ?? 0,
  };
}
