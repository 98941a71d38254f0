import type { Offset, ProducerName } from '@robustmq/journal';
import { AppendPipeline } from './append-pipeline.ts';
import { KeyedLane } from './keyed-lane.ts';
import type { ClientContext } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';

/** What a client knows of one shard, whatever the number of handles. */
export class KnownShard {
  /** As the caller names it. */
  readonly name: string;
  readonly route: ShardRoute;
  /** Open tails of both kinds. */
  readonly tails: Set<{ close(): void }> = new Set();
  /** As last heard of. */
  oldest: Offset = 0 as Offset;
  /** Everything below is committed, as far as this client knows; reads show at least as much. */
  committedSeen: Offset = 0 as Offset;
  readonly #context: ClientContext;
  #lane: KeyedLane | null = null;
  /** 0 until it is heard of. */
  #life = 0;
  /** By producer id: the pipelines of its incarnations, for as long as one could be used again. */
  readonly #pipelines = new Map<number, Map<number, AppendPipeline>>();

  constructor(context: ClientContext, name: string, route: ShardRoute) {
    this.#context = context;
    this.name = name;
    this.route = route;
  }

  /** A shard that was made again under its name has nothing of the one before. */
  heardLife(life: number): void {
    if (this.#life !== 0 && this.#life !== life) {
      this.oldest = 0 as Offset;
      this.committedSeen = 0 as Offset;
    }
    this.#life = life;
  }

  heard(committed: Offset, oldest: Offset): void {
    if (committed > this.committedSeen) this.committedSeen = committed;
    if (oldest > this.oldest) this.oldest = oldest;
  }

  /** A life before the newest one is over here: its pipeline may be gone, and with it the numbers given. */
  pipelineOf(producer: ProducerName): AppendPipeline {
    let lives = this.#pipelines.get(producer.id);
    if (lives === undefined) {
      lives = new Map();
      this.#pipelines.set(producer.id, lives);
    }
    const newest = Math.max(producer.incarnation, ...lives.keys());
    const known = lives.get(producer.incarnation);
    if (known !== undefined && newest === producer.incarnation) return known;
    const pipeline = this.#newPipeline(producer);
    if (newest > producer.incarnation) {
      const detail = `incarnation ${newest} of the producer has begun`;
      pipeline.end({ code: 'JOURNAL_FENCED', shard: this.name, detail });
      return pipeline;
    }
    // Of the lives before nothing new is taken; what is under way ends by itself.
    for (const [incarnation, earlier] of lives) if (earlier.isIdle) lives.delete(incarnation);
    lives.set(producer.incarnation, pipeline);
    return pipeline;
  }

  #newPipeline(producer: ProducerName): AppendPipeline {
    const { name, route } = this;
    return new AppendPipeline(this.#context, {
      route,
      name,
      producer,
      committed: (below) => this.heard(below, this.oldest),
    });
  }

  /** Of a keyed shard. */
  lane(): KeyedLane {
    this.#lane ??= new KeyedLane(this.#context, this.route, this.name);
    return this.#lane;
  }

  /** Ends everything that is open. */
  close(): void {
    this.#lane?.end({ code: 'JOURNAL_CLOSED' });
    for (const lives of this.#pipelines.values()) {
      for (const pipeline of lives.values()) pipeline.end({ code: 'JOURNAL_CLOSED' });
    }
    for (const tail of [...this.tails]) tail.close();
  }
}
