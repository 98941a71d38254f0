import type { JournalReader, JournalRecord, Offset } from '@robustmq/journal';
import type { SharedShard } from '@robustmq/journal';
import type { RecordSelector } from '@robustmq/journal';

/**
 * How far one shared group has come in one message shard.
 *
 * Invariant: every record of the group below `place` is dealt with, for good; from there on those in
 * `settled` are, those in `underWay` are being committed or acknowledged, and those in `parked` wait for a
 * member that may have them.
 */
export class GroupShard {
  readonly number: number;
  /** Records of the group may be below this. */
  end: number;
  /** Offsets that are dealt with. */
  readonly settled: Set<number>;
  readonly underWay: Set<number> = new Set();
  readonly #parked = new Set<number>();
  readonly #shard: SharedShard;
  readonly #selector: RecordSelector;
  #next: number;
  #reader: JournalReader | null = null;
  #ahead: readonly JournalRecord[] = [];
  #at = 0;
  /** Grows when reading starts anew: an answer that comes later is not for it. */
  #generation = 0;

  constructor(
    shard: SharedShard,
    selector: RecordSelector,
    from: {
      readonly number: number;
      readonly place: number;
      readonly settled: Set<number>;
      readonly end: number;
    },
  ) {
    this.#shard = shard;
    this.#selector = selector;
    this.number = from.number;
    this.#next = from.place;
    this.settled = from.settled;
    this.end = from.end;
  }

  /** The record that is looked at next; null: it must be read. */
  get head(): JournalRecord | null {
    return this.#ahead[this.#at] ?? null;
  }

  get isAtEnd(): boolean {
    return this.head === null && this.#next >= this.end;
  }

  /** @param fed  records below it that were of the group are known of */
  placeAt(fed: number): number {
    const isDone = this.isAtEnd && this.underWay.size === 0 && this.#parked.size === 0;
    let place = isDone ? Math.max(this.#next, fed) : this.#next;
    for (const offset of this.underWay) place = Math.min(place, offset);
    for (const offset of this.#parked) place = Math.min(place, offset);
    return place;
  }

  /** Goes past the head. */
  step(): void {
    const { head } = this;
    if (head === null) return;
    this.#at += 1;
    this.#next = head.offset + 1;
  }

  knows(offset: number): boolean {
    return this.settled.has(offset) || this.underWay.has(offset) || this.#parked.has(offset);
  }

  get parkedCount(): number {
    return this.#parked.size;
  }

  /** Goes past the head, which waits for a member that may have it. */
  park(): void {
    if (this.head !== null) this.#parked.add(this.head.offset);
    this.step();
  }

  /** What waited is looked at again. */
  unpark(): void {
    if (this.#parked.size === 0) return;
    const first = Math.min(...this.#parked);
    this.#parked.clear();
    this.rewindTo(first);
  }

  /** What is below the place need not be remembered one by one. */
  prune(): void {
    const place = this.placeAt(0);
    for (const offset of this.settled) if (offset < place) this.settled.delete(offset);
  }

  /** Reads on. @returns whether anything came, or the place moved. @throws JournalError */
  async read(recordsMax: number, bytesMax: number): Promise<boolean> {
    const generation = this.#generation;
    this.#reader ??= this.#shard.openReader(this.#next as Offset, this.#selector);
    const reader = this.#reader;
    const records = await reader.read(recordsMax, bytesMax);
    if (generation !== this.#generation) return true;
    this.#ahead = records;
    this.#at = 0;
    if (records.length > 0) return true;
    const moved = reader.position > this.#next;
    this.#next = Math.max(this.#next, reader.position);
    return moved;
  }

  /** Reads from there on once more. */
  rewindTo(offset: number): void {
    this.#next = Math.min(this.#next, offset);
    this.#restart();
  }

  /** Nothing is left below. */
  skipTo(offset: number): void {
    this.#next = Math.max(this.#next, offset);
    this.#restart();
  }

  get next(): number {
    return this.#next;
  }

  #restart(): void {
    this.#generation += 1;
    this.#reader = null;
    this.#ahead = [];
    this.#at = 0;
  }
}
