/**
 * Where shards are, as the placement center has it:
 *
 *     the leader that told its state last ▶ the preferred leader ▶ the other replicas ▶ every other server
 *
 * It is a guess to begin with: whoever does not lead says who does.
 */
import type { NodeRecord, Registries, ShardRecord, ShardState } from '@robustmq/placement-registry';
import type { ClientEnvironment } from './client-environment.ts';
import { FollowedRecords } from './followed-records.ts';
import type { ShardPlaces } from './shard-places.ts';

/** What is followed, and what is asked while nothing is known. */
export interface RegistryPlacesOptions extends Pick<ClientEnvironment, 'timers' | 'random'> {
  readonly registries: Pick<Registries, 'nodes' | 'shards' | 'shardStates'>;
  /** As `host:port`; may be empty. */
  readonly fallback: readonly string[];
  /** Told of the addresses of all servers, after each change; null: nobody wants to know. */
  readonly onServers: ((addresses: ReadonlyMap<number, string>) => void) | null;
}

/** {@link ShardPlaces} that also know the addresses of nodes. */
export interface RegistryPlaces extends ShardPlaces {
  /** As `host:port`, as last heard of; null: never heard of. */
  addressOf(node: number): string | null;
}

const CALL = { deadlineMs: 10_000, signal: null };
const SERVERS = ['journal-server'];

/** Follows the registries until it is closed. */
export function registryPlaces(options: RegistryPlacesOptions): RegistryPlaces {
  const places = new FollowedPlaces(options);
  places.begin();
  return places;
}

class FollowedPlaces implements RegistryPlaces {
  readonly #options: RegistryPlacesOptions;
  readonly #nodes: FollowedRecords<NodeRecord>;
  readonly #shards: FollowedRecords<ShardRecord>;
  readonly #states: FollowedRecords<ShardState>;
  /** Of every server ever heard of: one whose lease ended may still be reached. */
  readonly #addresses = new Map<number, string>();

  constructor(options: RegistryPlacesOptions) {
    this.#options = options;
    const { nodes, shards, shardStates } = options.registries;
    const all = { within: [], call: CALL };
    this.#nodes = new FollowedRecords(
      () => nodes.watch({ within: SERVERS, call: CALL }),
      () => this.#noteAddresses(),
    );
    this.#shards = new FollowedRecords(
      () => shards.watch(all),
      () => {},
    );
    this.#states = new FollowedRecords(
      () => shardStates.watch(all),
      () => {},
    );
  }

  begin(): void {
    for (const records of [this.#nodes, this.#shards, this.#states]) {
      void records.follow(this.#options);
    }
  }

  candidatesOf(shard: string): readonly string[] {
    const names = namesIn(shard);
    const record = this.#shards.get(names);
    const state = this.#states.get(names);
    const likely = [
      state !== null && state.groupId === record?.groupId ? state.leader : null,
      record?.preferredLeader ?? null,
      ...(record?.replicas ?? []),
      ...this.#nodes.values().map(({ nodeId }) => nodeId),
    ];
    const addresses = likely.map((node) => (node === null ? null : this.addressOf(node)));
    const known = addresses.filter((address) => address !== null);
    return [...new Set([...known, ...this.#options.fallback])];
  }

  lifeOf(shard: string): number {
    return this.#shards.get(namesIn(shard))?.groupId ?? 0;
  }

  addressOf(node: number): string | null {
    return this.#addresses.get(node) ?? null;
  }

  close(): void {
    for (const records of [this.#nodes, this.#shards, this.#states]) records.close();
  }

  #noteAddresses(): void {
    for (const { nodeId, innerAddress } of this.#nodes.values()) {
      this.#addresses.set(nodeId, innerAddress);
    }
    this.#options.onServers?.(this.#addresses);
  }
}

function namesIn(shard: string): readonly string[] {
  const slash = shard.indexOf('/');
  return [shard.slice(0, slash), shard.slice(slash + 1)];
}
