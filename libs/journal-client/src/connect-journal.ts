/**
 * The journal servers as one shared journal.
 *
 * There is one stream per server for everything. A process connects once: sequences of a producer's
 * appends are counted here, and two clients that append as the same life of a producer would take each
 * other's batches for repetitions of their own.
 */
import {
  JournalError,
  type KeyedShard,
  type SharedJournal,
  type SharedShard,
} from '@robustmq/journal';
import { type ChannelTls, defaultChannelLimits } from '@robustmq/rpc';
import {
  type ClientEnvironment,
  defaultJournalClientLimits,
  type JournalClientLimits,
} from './client-environment.ts';
import { KnownShard } from './known-shard.ts';
import { RemoteShard } from './remote-shard.ts';
import { RemoteTable } from './remote-table.ts';
import { ServerLinks } from './server-links.ts';
import type { ClientContext } from './shard-calls.ts';
import type { ShardPlaces } from './shard-places.ts';
import { ShardRoute } from './shard-route.ts';

/** How to reach the journal servers. */
export interface JournalConnectionOptions extends ClientEnvironment {
  /** Where shards are: `registryPlaces`, or `staticPlaces`. Closed with the journal. */
  readonly places: ShardPlaces;
  /** Stands before the names of shards: `namespace/name`. */
  readonly namespace: string;
  /** null: in clear. */
  readonly tls: ChannelTls | null;
  /** The cluster token; null: none is sent. */
  readonly token: string | null;
  /** null: the defaults. */
  readonly limits: JournalClientLimits | null;
}

/** LIMIT: messageBytesMax (as journal servers have it) */
const messageBytesMax = 36 * 1024 * 1024;

/** Nothing is sent before the first shard is opened. */
export function connectJournal(options: JournalConnectionOptions): SharedJournal {
  return new RemoteJournal(options);
}

class RemoteJournal implements SharedJournal {
  readonly #namespace: string;
  readonly #places: ShardPlaces;
  readonly #closing = new AbortController();
  readonly #context: ClientContext;
  readonly #shards = new Map<string, KnownShard>();

  constructor({ places, namespace, tls, token, limits, ...options }: JournalConnectionOptions) {
    const bounds = limits ?? defaultJournalClientLimits;
    const channels = { tls, token, limits: { ...defaultChannelLimits, messageBytesMax } };
    const { clock, timers, random } = options;
    this.#namespace = namespace;
    this.#places = places;
    this.#context = {
      clock,
      timers,
      random,
      limits: bounds,
      links: new ServerLinks(channels, { timers, unsentBytesMax: bounds.unsentBytesMax }),
      closing: this.#closing.signal,
    };
  }

  async openShard(name: string): Promise<SharedShard> {
    const shard = new RemoteShard(this.#context, this.#known(name));
    await shard.committed(this.#context.limits.callDeadlineMs);
    return shard;
  }

  async openTable(name: string): Promise<KeyedShard> {
    const table = new RemoteTable(this.#context, this.#known(name));
    await table.revision(this.#context.limits.callDeadlineMs);
    return table;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const shard of this.#shards.values()) shard.close();
    this.#context.links.close();
    this.#places.close();
  }

  #known(name: string): KnownShard {
    if (this.#closing.signal.aborted) throw new JournalError({ code: 'JOURNAL_CLOSED' });
    const known = this.#shards.get(name);
    if (known !== undefined) return known;
    const route = new ShardRoute(`${this.#namespace}/${name}`, this.#places);
    const opened = new KnownShard(this.#context, name, route);
    this.#shards.set(name, opened);
    return opened;
  }
}
