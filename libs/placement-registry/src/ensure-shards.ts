/**
 * The shards that the brokers of a cluster work on. Every broker asks for them when it starts; whoever is
 * first creates them.
 */

import type { CallOptions } from '@robustmq/placement';
import { RegistryError } from './registry-error.ts';
import type { ShardKind, ShardRecord, ShardRegistry } from './shard-registry.ts';
import { KEEP_UNTIL_RELEASED, type ShardRetention } from './shard-retention.ts';

/** The namespace of everything that brokers create by themselves. */
export const BROKER_NAMESPACE = 'mqtt';

/** One shard that must be there. */
export interface EnsuredShard {
  readonly shard: string;
  readonly kind: ShardKind;
  readonly retention: ShardRetention;
}

/** How many shards of each kind a cluster has. They can't change while it has messages or sessions. */
export interface BrokerShardCounts {
  /** `mqtt-0` …: messages; a topic belongs to one. */
  readonly messages: number;
  /** `sessions-0` …: keyed; a session belongs to one. */
  readonly sessions: number;
  /** `retained-0` …: keyed; a retained message belongs to one. */
  readonly retained: number;
}

/** Three servers lead one message shard and one session shard each. */
export const DEFAULT_BROKER_SHARD_COUNTS: BrokerShardCounts = {
  messages: 3,
  sessions: 3,
  retained: 1,
};

/** The shards of a cluster of brokers, and `offsets-0` for the offsets of consumer groups. */
export function brokerShards(
  counts: BrokerShardCounts,
  messageRetention: ShardRetention,
): readonly EnsuredShard[] {
  const keyed = { kind: 'keyed', retention: KEEP_UNTIL_RELEASED } as const;
  return [
    ...numbered('mqtt', counts.messages).map((shard) => ({
      shard,
      kind: 'messages' as const,
      retention: messageRetention,
    })),
    ...numbered('sessions', counts.sessions).map((shard) => ({ shard, ...keyed })),
    ...numbered('retained', counts.retained).map((shard) => ({ shard, ...keyed })),
    { shard: 'offsets-0', ...keyed },
  ];
}

/**
 * Creates what is missing. Safe to call at any time by any number of brokers; a shard that exists stays as
 * it is, but for its kind, which must be the one asked for.
 *
 * @returns the records in the order of `wanted`; a new one has no place yet
 * @throws REGISTRY_INVALID  one exists with another kind
 */
export async function ensureShards(
  shards: ShardRegistry,
  wanted: readonly EnsuredShard[],
  make: { readonly namespace: string; readonly replicas: number; readonly nowMs: number },
  options: CallOptions,
): Promise<readonly ShardRecord[]> {
  const records: ShardRecord[] = [];
  for (const each of wanted) records.push(await ensureShard(shards, each, make, options));
  return records;
}

async function ensureShard(
  shards: ShardRegistry,
  { shard, kind, retention }: EnsuredShard,
  make: { readonly namespace: string; readonly replicas: number; readonly nowMs: number },
  options: CallOptions,
): Promise<ShardRecord> {
  const { namespace, replicas, nowMs } = make;
  const name = { namespace, shard };
  for (let attempt = 0; ; attempt += 1) {
    const stored = await shards.read(name, options);
    if (stored !== null) return assertKind(stored.value, kind);
    try {
      return await shards.create(name, { kind, replicas, retention, nowMs }, options);
    } catch (error) {
      // Another broker was first: its record is there now, unless somebody deletes it again and again.
      const isTaken = error instanceof RegistryError && error.fault.code === 'REGISTRY_EXISTS';
      if (!isTaken || attempt > 0) throw error;
    }
  }
}

function assertKind(record: ShardRecord, kind: ShardKind): ShardRecord {
  if (record.kind === kind) return record;
  const { namespace, shard } = record;
  const detail = `shard ${namespace}/${shard} is of the kind ${record.kind}, and ${kind} is needed`;
  throw new RegistryError({ code: 'REGISTRY_INVALID', detail });
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
