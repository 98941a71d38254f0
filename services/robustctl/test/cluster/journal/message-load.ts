/** Producers, tails and readers of message shards, and the audit of what they were told and saw. */
import { setTimeout as pause } from 'node:timers/promises';
import { atLeast, atMost, type CampaignResult, told } from '@robustmq/campaign';
import type { SharedShard } from '@robustmq/journal';
import { FollowedShard, readWhole, type SeenRecords } from './followed-shard.ts';
import type { JournalPlace } from './journal-place.ts';
import { producerOf, textOf } from './payload.ts';
import { Producer } from './producer.ts';

const TAILS_OF_EACH = 2;
const READ_PAUSE_MS = 500;
const READ_LIMIT_MS = 60_000;
const EXAMPLES_MAX = 8;

export interface MessageLoadOptions {
  readonly place: Pick<JournalPlace, 'connect'>;
  readonly shards: readonly string[];
  readonly producersOfEach: number;
  readonly recordBytes: number;
  /** Of each producer. */
  readonly appendsPerSecond: number;
}

/** What is wrong with the records of the shards. */
interface Verdict {
  lost: number;
  doubled: number;
  reordered: number;
  refusedYetThere: number;
  unlike: number;
  read: number;
}

export class MessageLoad {
  readonly producers: readonly Producer[];
  readonly #tails: readonly FollowedShard[];
  readonly #shards: readonly SharedShard[];
  #isOver = false;
  #stale = 0;
  #reads = 0;
  #failedReads = 0;
  #reading: Promise<void> = Promise.resolve();

  private constructor(
    producers: readonly Producer[],
    tails: readonly FollowedShard[],
    shards: readonly SharedShard[],
  ) {
    this.producers = producers;
    this.#tails = tails;
    this.#shards = shards;
  }

  /** Connects a client for each producer and each tail. */
  static async open(options: MessageLoadOptions): Promise<MessageLoad> {
    const { place, shards, producersOfEach, recordBytes, appendsPerSecond } = options;
    const producers: Producer[] = [];
    const tails: FollowedShard[] = [];
    const readers = place.connect();
    for (const name of shards) {
      for (let one = 0; one < producersOfEach; one += 1) {
        const id = producers.length + 1;
        const shard = await place.connect().openShard(name);
        producers.push(new Producer({ id, shard, recordBytes, appendsPerSecond }));
      }
      for (let one = 1; one <= TAILS_OF_EACH; one += 1) {
        const shard = await place.connect().openShard(name);
        tails.push(new FollowedShard(shard, `tail ${one} of ${name}`));
      }
    }
    const handles = await Promise.all(shards.map((name) => readers.openShard(name)));
    return new MessageLoad(producers, tails, handles);
  }

  get acknowledged(): number {
    return this.producers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }

  get refused(): number {
    return this.producers.reduce((sum, { refused }) => sum + refused.size, 0);
  }

  get gapMsMax(): number {
    return Math.max(...this.producers.map(({ gapMsMax }) => gapMsMax));
  }

  /** Who has heard nothing for so long, and of which shard. */
  silentFor(leastMs: number): readonly string[] {
    const nowMs = performance.now();
    return this.producers
      .filter(({ lastAtMs }) => nowMs - lastAtMs >= leastMs)
      .map(({ id, shard, lastAtMs }) => `${id} (${shard}) ${Math.round(nowMs - lastAtMs)} ms`);
  }

  start(): void {
    for (const each of [...this.producers, ...this.#tails]) each.start();
    this.#reading = this.#readMeanwhile();
  }

  /** Ends the producers, each after its last answer. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.producers.map((each) => each.end()));
    await this.#reading;
  }

  /** Reads everything; the cluster is whole, and nobody appends. */
  async audit(): Promise<CampaignResult> {
    const examples: string[] = [];
    const verdict = { lost: 0, doubled: 0, reordered: 0, refusedYetThere: 0, unlike: 0, read: 0 };
    let behind = 0;
    const seen: SeenRecords[] = this.#tails.map((tail) => tail.seen);
    for (const shard of this.#shards) {
      const end = await shard.committed(READ_LIMIT_MS);
      const whole = await readWhole(shard, end);
      seen.push(whole);
      this.#judge(shard.name, whole.keys, { verdict, examples });
      for (const tail of this.#tails.filter((each) => each.shard === shard.name)) {
        if (!(await tail.end(end, READ_LIMIT_MS))) behind += 1;
        if (!isEqual(tail.seen.keys, whole.keys)) verdict.unlike += 1;
      }
    }
    const sum = (of: (producer: Producer) => number): number =>
      this.producers.reduce((total, producer) => total + of(producer), 0);
    const faults = [...seen, ...this.producers].flatMap((each) => each.faults);
    const figures = [
      told(
        'appended',
        sum(({ appended }) => appended),
      ),
      atLeast('acknowledged', this.acknowledged, 1),
      told('refused', this.refused),
      told(
        'of unknown outcome',
        sum(({ unknown }) => unknown),
      ),
      told('records in the shards', verdict.read),
      atMost('lost', verdict.lost, 0),
      atMost('doubled', verdict.doubled, 0),
      atMost('out of the order of a producer', verdict.reordered, 0),
      atMost('refused, yet there', verdict.refusedYetThere, 0),
      atMost(
        'damaged',
        seen.reduce((total, { damaged }) => total + damaged, 0),
        0,
      ),
      atMost(
        'at an offset with a gap or a repetition',
        seen.reduce((total, { outOfPlace }) => total + outOfPlace, 0),
        0,
      ),
      atMost('tails that read something else', verdict.unlike, 0),
      atMost('tails that did not come to the end', behind, 0),
      told('linearizable reads meanwhile', this.#reads),
      told('linearizable reads that failed', this.#failedReads),
      atMost('stale reads', this.#stale, 0),
      atMost('other faults of clients', faults.length, 0),
    ];
    return { figures, examples: [...examples, ...faults.slice(0, EXAMPLES_MAX)] };
  }

  #judge(
    shard: string,
    keys: readonly number[],
    { verdict, examples }: { readonly verdict: Verdict; readonly examples: string[] },
  ): void {
    const say = (what: string): void => {
      if (examples.length < EXAMPLES_MAX) examples.push(`${shard}: ${what}`);
    };
    verdict.read += keys.length;
    const places = new Map<number, number>();
    const last = new Map<number, number>();
    for (const [offset, key] of keys.entries()) {
      const before = places.get(key);
      if (before !== undefined) {
        verdict.doubled += 1;
        say(`${textOf(key)} at ${before} and at ${offset}`);
        continue;
      }
      places.set(key, offset);
      const producer = producerOf(key);
      if ((last.get(producer) ?? -1) > key) {
        verdict.reordered += 1;
        say(`${textOf(key)} at ${offset} comes after ${textOf(last.get(producer) ?? 0)}`);
      }
      last.set(producer, key);
    }
    for (const producer of this.producers.filter((each) => each.shard === shard)) {
      for (const [key, offset] of producer.acknowledged) {
        if (places.get(key) === offset) continue;
        verdict.lost += 1;
        say(`${textOf(key)} was acknowledged at ${offset}, is at ${places.get(key) ?? 'no place'}`);
      }
      for (const key of producer.refused) {
        if (!places.has(key)) continue;
        verdict.refusedYetThere += 1;
        say(`${textOf(key)} was refused and is at ${places.get(key) ?? 0}`);
      }
    }
  }

  /** Whoever asks for the end of a shard finds everything that was acknowledged before. */
  async #readMeanwhile(): Promise<void> {
    while (!this.#isOver) {
      for (const shard of this.#shards) {
        const own = this.producers.filter((each) => each.shard === shard.name);
        const highest = Math.max(...own.map((producer) => producer.highest));
        try {
          const end = await shard.committed(READ_LIMIT_MS);
          this.#reads += 1;
          if (end <= highest) this.#stale += 1;
        } catch {
          this.#failedReads += 1;
        }
      }
      await pause(READ_PAUSE_MS);
    }
  }
}

function isEqual(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((key, index) => key === others[index]);
}
