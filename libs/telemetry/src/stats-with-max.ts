import type { GaugeSource } from './gauge-source.ts';

/** The statistics published under `$SYS/brokers/{node}/stats/{name}/{count,max}`. */
const statSources = {
  connections: 'connections',
  sessions: 'sessions',
  topics: 'topics',
  routes: 'routes',
  subscribers: 'subscribers',
  subscriptions: 'subscriptions',
  'subscriptions/shared': 'sharedSubscriptions',
  suboptions: 'subscriptions',
  retained: 'retainedMessages',
} as const;

/** A name as it appears in the topic. */
export type StatName = keyof typeof statSources;

export type StatsSnapshot = readonly {
  readonly name: StatName;
  readonly count: number;
  /** The largest count seen since the start of the process. */
  readonly max: number;
}[];

/**
 * Remembers the largest value of each statistic.
 *
 * A peak between two calls of `observe` is not seen; the broker calls it at each `$SYS` round and may
 * do so more often, for instance once a second.
 */
export class StatsWithMax {
  readonly #max = new Map<StatName, number>();

  /** Reads every statistic once and returns it with its maximum. */
  observe(gauges: GaugeSource): StatsSnapshot {
    const names = Object.keys(statSources) as StatName[];
    return names.map((name) => {
      const count = gauges[statSources[name]]();
      const max = Math.max(count, this.#max.get(name) ?? 0);
      this.#max.set(name, max);
      return { name, count, max };
    });
  }
}
