import type { Timers } from '@robustmq/environment';
import { JournalError, type JournalRecord, type Offset, type SharedShard } from '@robustmq/journal';
import { topicHashOf } from '@robustmq/broker';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import { offsetAt, shardAt, shardOf } from './place.ts';

const RETRY_MS = 200;
const UTF8 = new TextEncoder();

/** The message shards of the cluster, by number. */
export class MessageShards {
  readonly #context: BrokerContext;
  readonly #shards: readonly SharedShard[];

  constructor(context: BrokerContext, shards: readonly SharedShard[]) {
    this.#context = context;
    this.#shards = shards;
  }

  /** Those of the broker. */
  get timers(): Timers {
    return this.#context.timers;
  }

  get count(): number {
    return this.#shards.length;
  }

  at(number: number): SharedShard {
    const shard = this.#shards[number];
    if (shard === undefined) throw new Error(`there is no message shard ${number}`);
    return shard;
  }

  /** @param hash  `Topic.hash` */
  shardOf(hash: number): number {
    return shardOf(hash, this.#shards.length);
  }

  shardOfName(name: string): number {
    return this.shardOf(topicHashOf(UTF8.encode(name)));
  }

  /**
   * The record at this place; null when it was trimmed, is damaged, or was in a shard that is no more.
   * Waits as long as the shard does not answer.
   *
   * @throws JournalError JOURNAL_CLOSED
   */
  async readAt(place: number): Promise<JournalRecord | null> {
    const shard = this.#shards[shardAt(place)];
    if (shard === undefined) return null;
    for (;;) {
      try {
        return await shard.readAt(offsetAt(place) as Offset);
      } catch (error) {
        if (!(error instanceof JournalError) || error.fault.code === 'JOURNAL_CLOSED') throw error;
        if (error.fault.code === 'JOURNAL_RECORD_CORRUPT') {
          this.#context.reportCorruption(error.fault);
          return null;
        }
        await waitMs(this.#context.timers, RETRY_MS);
      }
    }
  }
}
