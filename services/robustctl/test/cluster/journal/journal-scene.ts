/** A journal in a cluster, with everything that uses it while a campaign does harm. */
import type { CampaignResult } from '@robustmq/campaign';
import { SeededRandom } from '@robustmq/environment';
import type { TestCluster } from '../test-cluster.ts';
import { JournalPlace } from './journal-place.ts';
import { KeyedLoad } from './keyed-load.ts';
import { MessageLoad } from './message-load.ts';

const NAMES = { messages: ['north', 'south', 'west'], tables: ['owners'] };
const PRODUCERS_OF_EACH = 2;
const RECORD_BYTES = 1024;
const KEYED_WRITERS = 3;

export interface JournalSceneOptions {
  readonly seed: number;
  /** Of all producers together. */
  readonly appendsPerSecond: number;
  readonly recordBytes?: number;
}

export class JournalScene {
  readonly place: JournalPlace;
  readonly #options: JournalSceneOptions;
  #messages: MessageLoad | null = null;
  #keyed: KeyedLoad | null = null;

  constructor(cluster: TestCluster, options: JournalSceneOptions) {
    this.place = new JournalPlace(cluster, NAMES);
    this.#options = options;
  }

  get messages(): MessageLoad {
    if (this.#messages === null) throw new Error('the load was not begun');
    return this.#messages;
  }

  /** Makes the shards, waits until they serve, and lets everyone begin. */
  async begin(limitMs: number): Promise<number> {
    const beganMs = performance.now();
    await this.place.createShards(limitMs);
    await this.place.serving(limitMs);
    const servedMs = performance.now() - beganMs;
    const { seed, appendsPerSecond, recordBytes = RECORD_BYTES } = this.#options;
    const producers = NAMES.messages.length * PRODUCERS_OF_EACH;
    this.#messages = await MessageLoad.open({
      ...{ place: this.place, shards: NAMES.messages, recordBytes },
      producersOfEach: PRODUCERS_OF_EACH,
      appendsPerSecond: appendsPerSecond / producers,
    });
    this.#keyed = await KeyedLoad.open({
      ...{ place: this.place, table: NAMES.tables[0] as string },
      writers: KEYED_WRITERS,
      random: new SeededRandom(seed),
    });
    this.#messages.start();
    this.#keyed.start();
    return servedMs;
  }

  /** Ends the load and audits it; the cluster is whole. */
  async verdict(): Promise<CampaignResult> {
    await Promise.all([this.#messages?.end(), this.#keyed?.end()]);
    const results = [await this.#messages?.audit(), await this.#keyed?.audit()];
    return {
      figures: results.flatMap((result) => result?.figures ?? []),
      examples: results.flatMap((result) => result?.examples ?? []),
    };
  }

  close(): Promise<void> {
    return this.place.close();
  }
}
