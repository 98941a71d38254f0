/** Metrics without labels, each read from one value of a source. */
import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from './process-metrics.ts';

/** One metric; `Field` names the value of the source. */
export interface PlainMetric<Field extends string> {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly unit: string;
  readonly field: Field;
  readonly help: string;
}

/** Renders every metric in the Prometheus text format 0.0.4. */
export interface PlainMetricsRegistry {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Makes metrics whose names begin alike. */
export interface PlainMetricMaker<Field extends string> {
  /** A value that goes up and down. */
  gauge(suffix: string, words: PlainMetricWords<Field>): PlainMetric<Field>;
  /** A value that only grows. */
  total(suffix: string, words: PlainMetricWords<Field>): PlainMetric<Field>;
}

type PlainMetricWords<Field extends string> = readonly [unit: string, field: Field, help: string];

/** @param prefix  such as `robust_journal_` */
export function plainMetricMaker<Field extends string>(prefix: string): PlainMetricMaker<Field> {
  const metric =
    (kind: PlainMetric<Field>['kind']) =>
    (suffix: string, [unit, field, help]: PlainMetricWords<Field>): PlainMetric<Field> => ({
      kind,
      name: `${prefix}${suffix}`,
      unit,
      field,
      help,
    });
  return { gauge: metric('gauge'), total: metric('counter') };
}

/** @param processMetrics  at most one registry of a process includes them */
export function createPlainRegistry<Field extends string>(
  metrics: readonly PlainMetric<Field>[],
  source: Readonly<Record<Field, () => number>>,
  processMetrics: 'included' | 'omitted',
): PlainMetricsRegistry {
  const registry = new Registry();
  for (const { name, help, kind, field } of metrics) {
    const shape = { name, help, registers: [registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...shape,
        collect(): void {
          this.set(source[field]());
        },
      });
    } else {
      new Counter({
        ...shape,
        // The source holds totals; a Counter only takes increments, so it starts anew at each scrape.
        collect(): void {
          this.reset();
          this.inc(source[field]());
        },
      });
    }
  }
  if (processMetrics === 'included') addProcessMetrics(registry);
  return { contentType: registry.contentType, render: () => registry.metrics() };
}
