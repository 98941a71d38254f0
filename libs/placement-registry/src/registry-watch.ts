/**
 * A registry as it is and as it changes: the list first, then every change, each once.
 *
 *     list pages ─▶ watch from the revision of the first page + 1 ─▶ …
 *         ▲                              │ PLACEMENT_REVISION_COMPACTED
 *         └──────────────────────────────┘ the list is read again and told as changes
 *
 * Later pages are newer than the first, so the watch tells some changes again: those not newer than
 * what is known of their key are left out. For that, the revision of every key is kept: memory grows
 * with the registry, by about the length of its keys.
 */

import {
  type CallOptions,
  type KeyEvent,
  PlacementError,
  type Revision,
  type Watch,
} from '@robustmq/placement';
import { namesBelow } from './key-space.ts';
import type { RecordTable, Stored } from './record-table.ts';
import { RegistryError } from './registry-error.ts';

/** One change to one record. */
export type RegistryChange<Value> =
  | { readonly kind: 'put'; readonly stored: Stored<Value> }
  | { readonly kind: 'delete'; readonly names: readonly string[]; readonly modRevision: Revision }
  /** A record that this version cannot read; the watch goes on. */
  | {
      readonly kind: 'unreadable';
      readonly names: readonly string[];
      readonly modRevision: Revision;
      readonly error: RegistryError;
    };

/** Every change up to and including `revision` was delivered. The first batch is the whole list. */
export interface RegistryBatch<Value> {
  readonly revision: Revision;
  readonly changes: readonly RegistryChange<Value>[];
}

/** Iterated once, by one consumer; it buffers nothing for a slow one. */
export interface RegistryWatch<Value> extends AsyncIterable<RegistryBatch<Value>> {
  /** Ends the iteration without an error. Idempotent. */
  cancel(): void;
}

/** What is watched. */
export interface RegistryWatchOptions {
  /** Only records below these first names; none: all. */
  readonly within: readonly string[];
  /** For each page of a list. */
  readonly call: CallOptions;
}

const RECORDS_PER_PAGE = 500;

/**
 * @throws PlacementError from the iteration when the store is not available any more; watch again then
 */
export function watchRegistry<Value>(
  table: RecordTable<Value>,
  options: RegistryWatchOptions,
): RegistryWatch<Value> {
  const follower = new TableFollower(table, options);
  return {
    [Symbol.asyncIterator]: () => follower.batches(),
    cancel: () => follower.cancel(),
  };
}

class TableFollower<Value> {
  readonly #table: RecordTable<Value>;
  readonly #options: RegistryWatchOptions;
  /** The newest revision known of every key that exists. */
  #known = new Map<string, Revision>();
  #watch: Watch | null = null;
  #cancelled = false;

  constructor(table: RecordTable<Value>, options: RegistryWatchOptions) {
    this.#table = table;
    this.#options = options;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#watch?.cancel();
  }

  async *batches(): AsyncGenerator<RegistryBatch<Value>, void, undefined> {
    while (!this.#cancelled) {
      const listed = await this.#list();
      yield listed;
      if (this.#cancelled) return;
      try {
        yield* this.#follow(listed.revision);
        return;
      } catch (error) {
        if (!isCompacted(error)) throw error;
      } finally {
        this.#watch?.cancel();
      }
    }
  }

  /** The whole registry as changes to what is known. */
  async #list(): Promise<RegistryBatch<Value>> {
    const { placement } = this.#table.store;
    const range = this.#table.rangeOf(this.#options.within);
    const known = new Map<string, Revision>();
    const changes: RegistryChange<Value>[] = [];
    let revision: Revision | null = null;
    let first = range.first;
    for (let more = true; more; ) {
      const request = {
        range: { first, after: range.after },
        limit: RECORDS_PER_PAGE,
        content: 'whole',
        consistency: 'linearizable',
      } as const;
      const reply = await placement.range(request, this.#options.call);
      for (const keyValue of reply.keyValues) {
        known.set(keyValue.key, keyValue.modRevision);
        if (this.#known.get(keyValue.key) === keyValue.modRevision) continue;
        changes.push(this.#changeOf({ kind: 'put', keyValue }));
      }
      revision ??= reply.revision;
      const last = reply.keyValues.at(-1);
      more = reply.more && last !== undefined;
      if (last !== undefined) first = `${last.key}\u0000`;
    }
    const at = revision as Revision;
    for (const key of this.#known.keys()) {
      if (!known.has(key)) changes.push(this.#changeOf({ kind: 'delete', key, modRevision: at }));
    }
    this.#known = known;
    return { revision: at, changes };
  }

  async *#follow(listedAt: Revision): AsyncGenerator<RegistryBatch<Value>, void, undefined> {
    const range = this.#table.rangeOf(this.#options.within);
    const from = (listedAt + 1) as Revision;
    this.#watch = this.#table.store.placement.watch({ range, from, progressEveryMs: null });
    for await (const batch of this.#watch) {
      const changes = batch.events.filter((event) => this.#isNews(event));
      if (changes.length === 0) continue;
      yield { revision: batch.revision, changes: changes.map((event) => this.#changeOf(event)) };
    }
  }

  #isNews(event: KeyEvent): boolean {
    if (event.kind === 'put') {
      const { key, modRevision } = event.keyValue;
      if (modRevision <= (this.#known.get(key) ?? 0)) return false;
      this.#known.set(key, modRevision);
      return true;
    }
    const known = this.#known.get(event.key);
    if (known === undefined || event.modRevision <= known) return false;
    return this.#known.delete(event.key);
  }

  #changeOf(event: KeyEvent): RegistryChange<Value> {
    if (event.kind === 'delete') {
      const names = namesBelow(this.#table.prefix, event.key);
      return { kind: 'delete', names, modRevision: event.modRevision };
    }
    const { key, modRevision } = event.keyValue;
    try {
      return { kind: 'put', stored: this.#table.decode(event.keyValue) };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const names = namesBelow(this.#table.prefix, key);
      return { kind: 'unreadable', names, modRevision, error };
    }
  }
}

function isCompacted(error: unknown): boolean {
  return error instanceof PlacementError && error.fault.code === 'PLACEMENT_REVISION_COMPACTED';
}
