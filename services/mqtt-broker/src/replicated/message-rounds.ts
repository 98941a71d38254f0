import type { JournalError, Offset } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { CommitRound } from './commit-round.ts';
import type { ReplicatedStorage } from './replicated-storage.ts';
import type { ShardWriter } from './shard-writer.ts';

/** While so many batches of a shard are under way the next one gathers: batches grow with the load. */
const BATCHES_MAX = 4;

interface ShardRounds {
  readonly writer: ShardWriter;
  gathering: CommitRound;
  /** Batches under way. */
  unfinished: number;
  /** Where the batches that are finished end. */
  finishedEnd: number;
}

/**
 * The batches of this broker in the message shards, each with what waits for it. Shards do not wait for
 * each other: one without a leader gathers, and the others go on.
 */
export class MessageRounds {
  readonly #context: BrokerContext;
  readonly #shards: readonly ShardRounds[];
  readonly #finished: (round: CommitRound, error: JournalError | null) => void;
  #bytesUnderWay = 0;
  #unfinished = 0;
  appendedRecords = 0;
  appends = 0;

  /** @param finished  told of each round; an error: its batch was not taken */
  constructor(
    context: BrokerContext,
    { writers, feeds }: ReplicatedStorage,
    finished: (round: CommitRound, error: JournalError | null) => void,
  ) {
    this.#context = context;
    this.#finished = finished;
    this.#shards = writers.map((writer, shard) => ({
      writer,
      gathering: new CommitRound(),
      unfinished: 0,
      finishedEnd: feeds[shard]?.position ?? 0,
    }));
  }

  /** What waits for the records that gather in the shard. */
  gathering(shard: number): CommitRound {
    return this.#at(shard).gathering;
  }

  get isIdle(): boolean {
    return this.#unfinished === 0 && !this.#shards.some(({ writer }) => hasRecords(writer));
  }

  /** Of batches, those that gather included. */
  get bytes(): number {
    let bytes = this.#bytesUnderWay;
    for (const { writer } of this.#shards) {
      if (hasRecords(writer)) bytes += writer.builder.byteLength;
    }
    return bytes;
  }

  /** Where what this broker has finished there ends, and whether nothing of it is under way there. */
  at(shard: number): { readonly finishedEnd: number; readonly isIdle: boolean } {
    const { finishedEnd, unfinished, writer } = this.#at(shard);
    return { finishedEnd, isIdle: unfinished === 0 && !hasRecords(writer) };
  }

  flush(): void {
    for (const rounds of this.#shards) {
      if (hasRecords(rounds.writer) && rounds.unfinished < BATCHES_MAX) this.#append(rounds);
    }
  }

  #at(shard: number): ShardRounds {
    return this.#shards[shard] as ShardRounds;
  }

  #append(rounds: ShardRounds): void {
    const { writer, gathering } = rounds;
    const { histograms } = this.#context;
    const batch = writer.builder.seal(0 as Offset, this.#context.nowMs());
    const { length } = batch.bytes;
    rounds.gathering = new CommitRound();
    rounds.unfinished += 1;
    this.#unfinished += 1;
    this.#bytesUnderWay += length;
    this.appendedRecords += batch.recordCount;
    this.appends += 1;
    const startedNs = process.hrtime.bigint();
    writer.append(batch, (next, error) => {
      histograms.journalFlushNs.observe(Number(process.hrtime.bigint() - startedNs));
      histograms.journalCommitRecords.observe(batch.recordCount);
      this.#bytesUnderWay -= length;
      writer.builder.recycle(batch.bytes);
      rounds.unfinished -= 1;
      this.#unfinished -= 1;
      if (next !== null) rounds.finishedEnd = next;
      this.#finished(gathering, next === null ? error : null);
    });
  }
}

function hasRecords({ builder }: ShardWriter): boolean {
  return builder.recordCount > 0;
}
