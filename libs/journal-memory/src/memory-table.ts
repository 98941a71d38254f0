/**
 * The one copy of a keyed shard: the last record per key, in order of its key and of its revision.
 *
 * `#changes` is ordered by revision and holds superseded entries too, until they are as many as the
 * others; so a tail finds its place by halving. Keys are sorted when they are listed after one came.
 */
import { JournalError } from '@robustmq/journal';
import type { KeyedChange, KeyedRecord, KeyedWrite } from '@robustmq/journal';
import { GrowthSignal } from './growth-signal.ts';
import type { MemoryBudget } from './memory-journal.ts';

/** What stands at a key. `value` null: a removal, or a claim of a key that had no value. */
interface Entry {
  readonly key: string;
  readonly fence: number;
  readonly value: Uint8Array | null;
  /** 0: only claimed. */
  readonly revision: number;
}

/** Approximate memory of an entry beside its key and value. */
const ENTRY_BYTES = 100;
const COMPACT_FROM = 1024;

export class MemoryTable {
  readonly growth: GrowthSignal = new GrowthSignal();
  readonly #entries = new Map<string, Entry>();
  /** Entries without a value, oldest first. */
  readonly #removals = new Map<string, Entry>();
  readonly #budget: MemoryBudget;
  readonly #removalsMax: number;
  #changes: Entry[] = [];
  #sortedKeys: string[] | null = [];
  #revision = 0;
  /** The newest removal whose fence and revision are forgotten. */
  #forgottenRevision = 0;

  constructor(budget: MemoryBudget, removalsMax: number) {
    this.#budget = budget;
    this.#removalsMax = removalsMax;
  }

  get revision(): number {
    return this.#revision;
  }

  get forgottenRevision(): number {
    return this.#forgottenRevision;
  }

  /** Values are the table's from now on. @throws JournalError JOURNAL_FULL: nothing was written */
  write(writes: readonly KeyedWrite[]): readonly boolean[] {
    const bytes = writes.reduce((sum, { key, value }) => sum + entryBytes(key, value), 0);
    this.#assertRoom(writes.every((write) => write.value === null) ? 0 : bytes);
    const taken = writes.map((write) => this.#writeOne(write));
    this.growth.grown();
    return taken;
  }

  claim(key: string, fence: number): { taken: boolean; record: KeyedRecord | null } {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.fence > fence)
      return { taken: false, record: recordOf(entry) };
    const claimed = { key, fence, value: entry?.value ?? null, revision: entry?.revision ?? 0 };
    this.#put(claimed);
    return { taken: true, record: recordOf(claimed) };
  }

  read(key: string): KeyedRecord | null {
    const entry = this.#entries.get(key);
    return entry === undefined ? null : recordOf(entry);
  }

  list(after: string | null, limit: number): readonly KeyedRecord[] {
    this.#sortedKeys ??= [...this.#entries.keys()].sort(compareUtf8);
    const keys = this.#sortedKeys;
    const records: KeyedRecord[] = [];
    const start =
      after === null
        ? 0
        : firstAfter(keys.length, (at) => compareUtf8(keys[at] as string, after) > 0);
    for (let at = start; at < keys.length && records.length < limit; at += 1) {
      const record = this.read(keys[at] as string);
      if (record !== null) records.push(record);
    }
    return records;
  }

  /** The newest changes with revisions above `after`, at most `limit`, in order. */
  changesAfter(after: number, limit: number): KeyedChange[] {
    const changes = this.#changes;
    const found: KeyedChange[] = [];
    let at = firstAfter(changes.length, (index) => (changes[index] as Entry).revision > after);
    for (; at < changes.length && found.length < limit; at += 1) {
      const { key, revision, value } = changes[at] as Entry;
      const newest = this.#entries.get(key);
      if (newest?.revision === revision) found.push({ key, fence: newest.fence, value, revision });
    }
    return found;
  }

  #writeOne(write: KeyedWrite): boolean {
    const { key, fence, value } = write;
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.fence > fence) return false;
    this.#revision += 1;
    const written = { key, fence, value, revision: this.#revision };
    this.#put(written);
    this.#changes.push(written);
    if (this.#changes.length > COMPACT_FROM + 2 * this.#entries.size) this.#compact();
    return true;
  }

  #put(entry: Entry): void {
    const { key, value } = entry;
    this.#forget(key);
    this.#entries.set(key, entry);
    this.#budget.bytes += entryBytes(key, value);
    this.#sortedKeys = null;
    if (value !== null) return;
    this.#removals.set(key, entry);
    if (this.#removals.size <= this.#removalsMax) return;
    const oldest = this.#removals.values().next().value as Entry;
    this.#forgottenRevision = Math.max(this.#forgottenRevision, oldest.revision);
    this.#forget(oldest.key);
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#removals.delete(key);
    this.#budget.bytes -= entryBytes(key, entry.value);
    this.#sortedKeys = null;
  }

  #compact(): void {
    this.#changes = this.#changes.filter(
      ({ key, revision }) => this.#entries.get(key)?.revision === revision,
    );
  }

  #assertRoom(bytes: number): void {
    const { bytesMax } = this.#budget;
    if (this.#budget.bytes + bytes <= bytesMax) return;
    const detail = `${bytes} more bytes exceed the ${bytesMax} allowed in memory`;
    throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail });
  }
}

function entryBytes(key: string, value: Uint8Array | null): number {
  return ENTRY_BYTES + 2 * key.length + (value === null ? 0 : value.length);
}

function recordOf(entry: Entry): KeyedRecord | null {
  const { key, fence, value, revision } = entry;
  return value === null ? null : { key, fence, value, revision };
}

function compareUtf8(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** The first of `count` places where `isAfter` holds; it holds for all places behind the first. */
function firstAfter(count: number, isAfter: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
