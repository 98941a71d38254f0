import type { KeyedRecord, Offset } from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import { offsetAt, shardAt } from './place.ts';
import type { ReplicatedStorage } from './replicated-storage.ts';
import { decodeSessionState, type SessionState } from './session-state.ts';

const PAGE = 256;

/**
 * Forgets the records of the message shards that no session of the cluster needs any more.
 *
 * One broker does it for all; several at once do no harm, since it follows from what the records of the
 * sessions say. A new session's record is written before its CONNACK, so that none is missed: what is
 * owed to it lies behind the ends that were asked for before the records were listed.
 */
export class ShardTrimmer {
  readonly #context: BrokerContext;
  readonly #storage: ReplicatedStorage;

  constructor(context: BrokerContext, storage: ReplicatedStorage) {
    this.#context = context;
    this.#storage = storage;
  }

  /**
   * @returns by shard, where it begins at the earliest from now on
   * @throws JournalError JOURNAL_UNAVAILABLE  nothing, or not everything, was forgotten
   */
  async trimOnce(deadlineMs: number): Promise<readonly number[]> {
    const { shards, sessionTables } = this.#storage;
    const numbers = Array.from({ length: shards.count }, (_, shard) => shard);
    const needed: number[] = await Promise.all(
      numbers.map((number) => shards.at(number).committed(deadlineMs)),
    );
    for (const { table } of sessionTables) {
      for (let after: string | null = null; ; ) {
        const page: readonly KeyedRecord[] = await table.list(after, PAGE, deadlineMs);
        for (const { value } of page) keepNeeded(needed, decodeSessionState(value));
        const last = page.at(-1);
        if (page.length < PAGE || last === undefined) break;
        after = last.key;
      }
    }
    await Promise.all(numbers.map((number) => this.#trim(number, needed)));
    return needed;
  }

  async #trim(number: number, needed: number[]): Promise<void> {
    const shard = this.#storage.shards.at(number);
    const { readerLagSecondsMax } = this.#context.settings.storage;
    if (readerLagSecondsMax > 0) {
      const oldest = await shard.offsetAt(this.#context.clock.nowMs() - readerLagSecondsMax * 1000);
      // Who lags further than that loses its oldest messages, and hears of it as it reads.
      needed[number] = Math.max(needed[number] ?? 0, oldest);
    }
    const offset = (needed[number] ?? 0) as Offset;
    if (offset > shard.oldest) await shard.trimBefore(offset);
  }
}

function keepNeeded(needed: number[], state: SessionState): void {
  const keep = (shard: number, offset: number): void => {
    needed[shard] = Math.min(needed[shard] ?? 0, offset);
  };
  for (const [shard, position] of state.positions.entries()) keep(shard, position);
  for (const { place, state: exchange } of state.exchanges) {
    // After PUBREC it is PUBREL that is repeated (MQTT-5.0 [MQTT-4.3.3-6]).
    const isNeeded =
      exchange === ExchangeState.awaitingPuback || exchange === ExchangeState.awaitingPubrec;
    if (isNeeded && place >= 0) keep(shardAt(place), offsetAt(place));
  }
  // A QoS 2 message that is repeated is looked for from here on.
  if (!state.final) for (const [shard, offset] of state.watermarks.entries()) keep(shard, offset);
  for (const { from } of state.earlier) {
    for (const [shard, offset] of from.entries()) keep(shard, offset);
  }
}
