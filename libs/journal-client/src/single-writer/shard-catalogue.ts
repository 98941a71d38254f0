import type { Clock } from '@robustmq/environment';
import {
  RegistryError,
  type Registries,
  type ShardRecord,
  type ShardRetention,
} from '@robustmq/placement-registry';

/** Which shards there are, for a journal that makes and deletes them. */
export interface ShardCatalogue {
  /** Makes the shard unless it exists. */
  create(name: string): Promise<void>;
  /** In the order of the names. */
  list(): Promise<readonly string[]>;
  /** Idempotent. */
  delete(name: string): Promise<void>;
}

/** How the shards of a catalogue are made. */
export interface RegistryCatalogueOptions {
  readonly registries: Pick<Registries, 'shards'>;
  readonly namespace: string;
  readonly replicas: number;
  readonly retention: ShardRetention;
  readonly clock: Clock;
  /** For each call of the registry. */
  readonly deadlineMs: number;
}

const NAMES_PER_PAGE = 500;

/** The message shards of one namespace in the registry. */
export function registryCatalogue(options: RegistryCatalogueOptions): ShardCatalogue {
  const { namespace, replicas, retention, clock, deadlineMs } = options;
  const { shards } = options.registries;
  const call = { deadlineMs, signal: null };
  return {
    create: async (shard) => {
      const plan = { kind: 'messages', replicas, retention, nowMs: clock.nowMs() } as const;
      try {
        await shards.create({ namespace, shard }, plan, call);
      } catch (error) {
        const isThere = error instanceof RegistryError && error.fault.code === 'REGISTRY_EXISTS';
        if (!isThere) throw error;
      }
    },
    list: async () => {
      const names: string[] = [];
      let after: string | null = null;
      do {
        const page = await shards.list(namespace, { after, limit: NAMES_PER_PAGE }, call);
        names.push(...namesOf(page.items.map(({ value }) => value)));
        after = page.next;
      } while (after !== null);
      return names.sort();
    },
    delete: async (shard) => {
      await shards.delete({ namespace, shard }, call);
    },
  };
}

function namesOf(records: readonly ShardRecord[]): readonly string[] {
  return records.filter(({ kind }) => kind === 'messages').map(({ shard }) => shard);
}
