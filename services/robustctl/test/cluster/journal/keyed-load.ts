/** Writers of a keyed shard that take keys from each other, and the audit of what they were told. */
import { setTimeout as pause } from 'node:timers/promises';
import { atLeast, atMost, type CampaignResult, told } from '@robustmq/campaign';
import type { SeededRandom } from '@robustmq/environment';
import {
  JournalError,
  type KeyedChange,
  type KeyedRecord,
  type KeyedShard,
  type KeyedTail,
} from '@robustmq/journal';
import type { JournalPlace } from './journal-place.ts';

const KEYS = ['red', 'green', 'blue', 'cyan', 'amber', 'white'];
const WRITES_PER_CLAIM_MAX = 6;
const DEADLINE_MS = 60_000;
const PAUSE_MS = 5;
const EXAMPLES_MAX = 8;
const CHANGES_MAX = 500;
const decoder = new TextDecoder();

export interface KeyedLoadOptions {
  readonly place: Pick<JournalPlace, 'connect'>;
  readonly table: string;
  readonly writers: number;
  readonly random: SeededRandom;
}

/** A write that was taken: later ones of a key have a higher fence, or the same and a higher number. */
interface Taken {
  readonly fence: number;
  readonly number: number;
}

interface Claimed {
  readonly key: string;
  readonly fence: number;
  /** Of the record that the claim answered; 0: there was none. */
  readonly revision: number;
}

export class KeyedLoad {
  readonly #options: KeyedLoadOptions;
  readonly #tables: readonly KeyedShard[];
  readonly #floors = new Map<string, Taken>();
  readonly #claims: Claimed[] = [];
  readonly #changes: KeyedChange[] = [];
  readonly #examples: string[] = [];
  readonly #counts = {
    ...{ taken: 0, refused: 0, unknown: 0, reads: 0, older: 0, invented: 0 },
    ...{ tailFaults: 0, late: 0, unlike: 0 },
  };
  readonly #issued = new Map<number, number>();
  /** The highest fence that anybody asked for, by key. */
  readonly #asked = new Map<string, number>();
  #fence = 0;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();
  readonly #tail: KeyedTail;

  private constructor(options: KeyedLoadOptions, tables: readonly KeyedShard[]) {
    this.#options = options;
    this.#tables = tables;
    this.#tail = (tables[0] as KeyedShard).openTail(0);
  }

  static async open(options: KeyedLoadOptions): Promise<KeyedLoad> {
    const { place, table, writers } = options;
    const tables: KeyedShard[] = [];
    // One more, which reads.
    for (let one = 0; one <= writers; one += 1) tables.push(await place.connect().openTable(table));
    return new KeyedLoad(options, tables);
  }

  /** How many writes were taken. */
  get taken(): number {
    return this.#counts.taken;
  }

  start(): void {
    const [reader, ...writers] = this.#tables as [KeyedShard, ...KeyedShard[]];
    this.#following = this.#follow();
    this.#running = Promise.all([this.#read(reader), ...writers.map((each) => this.#write(each))]);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** The cluster is whole, and nobody writes. */
  async audit(): Promise<CampaignResult> {
    const [reader] = this.#tables as [KeyedShard];
    await this.#endTail(reader);
    const listed = await reader.list(null, KEYS.length, DEADLINE_MS);
    for (const key of KEYS) {
      const floor = this.#floors.get(key);
      const record = await reader.read(key, DEADLINE_MS);
      this.#check(key, record, floor);
      const same = listed.find((each) => each.key === key);
      const changed = this.#changes.findLast((each) => each.key === key);
      const revision = record?.revision;
      if (same?.revision !== revision || changed?.revision !== revision) {
        this.#counts.unlike += 1;
        this.#say(`${key}: read ${revision}, listed ${same?.revision}, tail ${changed?.revision}`);
      }
    }
    for (const claim of this.#claims) {
      const late = this.#changes.find(
        ({ key, value, revision }) =>
          key === claim.key && revision > claim.revision && fenceIn(value) < claim.fence,
      );
      if (late === undefined) continue;
      this.#counts.late += 1;
      this.#say(
        `${claim.key}: fence ${fenceIn(late.value)} wrote after ${claim.fence} had claimed it`,
      );
    }
    const { taken, refused, unknown, reads, older, invented, late, unlike } = this.#counts;
    return {
      figures: [
        told('keyed: claims', this.#claims.length),
        atLeast('keyed: writes taken', taken, 1),
        told('keyed: refused by a higher fence', refused),
        told('keyed: of unknown outcome', unknown),
        told('keyed: reads meanwhile', reads),
        atMost('keyed: read less than was taken', older, 0),
        atMost('keyed: read what nobody wrote', invented, 0),
        atMost('keyed: written under a lower fence after a claim', late, 0),
        atMost('keyed: read, list and tail that differ', unlike, 0),
        atMost('keyed: out of order in a tail', this.#counts.tailFaults, 0),
      ],
      examples: this.#examples,
    };
  }

  async #write(table: KeyedShard): Promise<void> {
    const { random } = this.#options;
    while (!this.#isOver) {
      const key = KEYS[random.below(KEYS.length)] as string;
      this.#fence += 1;
      const fence = this.#fence;
      this.#asked.set(key, fence);
      try {
        if (await this.#claim(table, key, fence)) await this.#writeUnder(table, key, fence);
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
        this.#counts.unknown += 1;
      }
      await pause(PAUSE_MS);
    }
  }

  async #claim(table: KeyedShard, key: string, fence: number): Promise<boolean> {
    const floor = this.#floors.get(key);
    const { taken, record } = await table.claim(key, fence, DEADLINE_MS);
    if (!taken) {
      this.#checkRefusal(key, fence);
      return false;
    }
    this.#check(key, record, floor);
    this.#claims.push({ key, fence, revision: record?.revision ?? 0 });
    return true;
  }

  async #writeUnder(table: KeyedShard, key: string, fence: number): Promise<void> {
    const writes = 1 + this.#options.random.below(WRITES_PER_CLAIM_MAX);
    for (let number = 1; number <= writes && !this.#isOver; number += 1) {
      this.#issued.set(fence, number);
      const value = Buffer.from(`${key} ${fence} ${number}`);
      const [isTaken] = await table.write([{ key, fence, value }], DEADLINE_MS);
      if (isTaken !== true) {
        this.#checkRefusal(key, fence);
        return;
      }
      this.#counts.taken += 1;
      const floor = this.#floors.get(key);
      if (floor === undefined || floor.fence <= fence) this.#floors.set(key, { fence, number });
    }
  }

  /** A refusal means that a higher fence was asked for. */
  #checkRefusal(key: string, fence: number): void {
    this.#counts.refused += 1;
    if ((this.#asked.get(key) ?? 0) > fence) return;
    this.#counts.late += 1;
    this.#say(`${key}: fence ${fence} was refused, and nobody had a higher one`);
  }

  async #read(table: KeyedShard): Promise<void> {
    while (!this.#isOver) {
      const key = KEYS[this.#options.random.below(KEYS.length)] as string;
      const floor = this.#floors.get(key);
      try {
        this.#check(key, await table.read(key, DEADLINE_MS), floor);
        this.#counts.reads += 1;
      } catch (error) {
        if (!(error instanceof JournalError)) throw error;
      }
      await pause(PAUSE_MS);
    }
  }

  /** What was read is something that was written, and no older than `floor`. */
  #check(key: string, record: KeyedRecord | null, floor: Taken | undefined): void {
    if (record === null) {
      if (floor === undefined) return;
      this.#counts.older += 1;
      this.#say(`${key}: nothing, ${floor.fence} ${floor.number} was taken`);
      return;
    }
    const [named, fence, number] = valueIn(record.value);
    // A claim raises the fence of a record and leaves its value.
    if (named !== key || fence > record.fence || number > (this.#issued.get(fence) ?? 0)) {
      this.#counts.invented += 1;
      this.#say(`${key}: read ${decoder.decode(record.value)} under ${record.fence}`);
      return;
    }
    const isOlder =
      floor !== undefined &&
      (fence < floor.fence || (fence === floor.fence && number < floor.number));
    if (!isOlder) return;
    this.#counts.older += 1;
    this.#say(`${key}: read ${fence} ${number}, ${floor.fence} ${floor.number} was taken`);
  }

  /** Every change, as a tail from the beginning tells it. */
  async #follow(): Promise<void> {
    let revision = 0;
    for (;;) {
      try {
        for (const change of await this.#tail.next(CHANGES_MAX)) {
          if (change.revision <= revision) this.#counts.tailFaults += 1;
          revision = change.revision;
          this.#changes.push(change);
        }
      } catch (error) {
        if (error instanceof JournalError && error.fault.code === 'JOURNAL_CLOSED') return;
        this.#counts.tailFaults += 1;
        this.#say(`tail: ${String(error)}`);
        return;
      }
    }
  }

  async #endTail(reader: KeyedShard): Promise<void> {
    const end = await reader.revision(DEADLINE_MS);
    const untilMs = performance.now() + DEADLINE_MS;
    while (this.#tail.position < end && performance.now() < untilMs) await pause(PAUSE_MS);
    this.#tail.close();
    await this.#following;
  }

  #say(what: string): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(`keyed: ${what}`);
  }
}

/** Of the write, whatever claimed the key later. */
function fenceIn(value: Uint8Array | null): number {
  return value === null ? 0 : valueIn(value)[1];
}

function valueIn(value: Uint8Array): readonly [string, number, number] {
  const [key = '', fence, number] = decoder.decode(value).split(' ');
  return [key, Number(fence), Number(number)];
}
