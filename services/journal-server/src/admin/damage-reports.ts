/** What damage was met in the files of message shards: to the log, and counted. */
import type { FoundDamage } from '@robustmq/journal-replica';
import { log, logEvents, type Logger } from '@robustmq/telemetry';

/** Since the process started. */
export interface DamageCounters {
  /** Each time a damaged stretch is found: one that stays is counted again. */
  found: number;
  mended: number;
}

/** Told of each damaged stretch, each time it is found. */
export class DamageReports {
  readonly counters: DamageCounters = { found: 0, mended: 0 };
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(shard: string, { file, outcome, detail, ...range }: FoundDamage): void {
    const { position, after, from, through } = range;
    this.counters.found += 1;
    if (outcome === 'mended') {
      this.counters.mended += 1;
      const place = { shard, file, position, after, from, through };
      log(this.#logger, logEvents.shardDamageMended, place);
      return;
    }
    log(this.#logger, logEvents.shardDamaged, { shard, file, ...range, outcome, detail });
  }
}
