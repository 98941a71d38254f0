import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BrokerCounters } from './broker-counters.ts';
import type { BrokerHistograms } from './broker-histograms.ts';
import { createBrokerHistograms } from './broker-histograms.ts';
import type { BucketHistogram } from './bucket-histogram.ts';
import type { GaugeSource } from './gauge-source.ts';
import { metricCatalogue } from './metric-catalogue.ts';
import type { HistogramMetric, MetricReading, ScalarMetric } from './metric-definition.ts';
import { addProcessMetrics } from './process-metrics.ts';

/** Renders every metric of one broker in the Prometheus text format 0.0.4. */
export interface MetricsRegistry {
  /** The value of the HTTP header `Content-Type` for what `render` returns. */
  readonly contentType: string;
  /** Where the broker observes durations and sizes. */
  readonly histograms: BrokerHistograms;
  /** Reads every source once. Rejects when a gauge callback throws: a scrape is right or absent. */
  render(): Promise<string>;
}

/**
 * Puts names, help and labels on `counters` and `gauges`; see `metric-catalogue.ts`.
 *
 * @param processMetrics `included` adds memory, garbage collection, CPU and event-loop delay of the
 *   whole process. They keep a sampler running until the process ends, so several brokers in one
 *   process include them at most once.
 */
export function createMetricsRegistry(
  counters: BrokerCounters,
  gauges: GaugeSource,
  processMetrics: 'included' | 'omitted' = 'included',
): MetricsRegistry {
  const registry = new Registry();
  const histograms = createBrokerHistograms();
  for (const group of metricCatalogue) {
    for (const metric of group.metrics) {
      if (metric.kind === 'histogram') addHistogram(registry, metric, histograms[metric.field]);
      else addScalar(registry, metric, (reading) => valueOf(reading, counters, gauges));
    }
  }
  if (processMetrics === 'included') addProcessMetrics(registry);
  return {
    contentType: registry.contentType,
    histograms,
    render: () => registry.metrics(),
  };
}

function valueOf(reading: MetricReading, counters: BrokerCounters, gauges: GaugeSource): number {
  return reading.from === 'counter' ? counters[reading.field] : gauges[reading.field]();
}

function addScalar(
  registry: Registry,
  metric: ScalarMetric,
  read: (reading: MetricReading) => number,
): void {
  const labelNames = metric.label === null ? [] : [metric.label];
  const labelled = metric.series.map((series) => ({
    labels: metric.label === null ? {} : { [metric.label]: series.labelValue ?? '' },
    reading: series.reading,
  }));
  const shape = { name: metric.name, help: metric.help, labelNames, registers: [registry] };
  if (metric.kind === 'gauge') {
    new Gauge({
      ...shape,
      collect(): void {
        for (const { labels, reading } of labelled) this.set(labels, read(reading));
      },
    });
    return;
  }
  new Counter({
    ...shape,
    // The sources hold totals; a Counter only takes increments, so it starts anew at each scrape.
    collect(): void {
      this.reset();
      for (const { labels, reading } of labelled) this.inc(labels, read(reading));
    },
  });
}

/** A Histogram whose values come from `source`: nothing is observed through prom-client itself. */
function addHistogram(registry: Registry, metric: HistogramMetric, source: BucketHistogram): void {
  const { name, help } = metric;
  const histogram = new Histogram({ name, help, registers: [registry] });
  const read = () => ({
    name,
    help,
    type: 'histogram',
    values: seriesOf(metric, source),
    aggregator: 'sum',
  });
  Object.assign(histogram, {
    get: () => Promise.resolve(read()),
    getForPromString: () => Promise.resolve(read()),
  });
}

interface HistogramSeries {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, number | string>>;
  readonly value: number;
}

function seriesOf(metric: HistogramMetric, source: BucketHistogram): HistogramSeries[] {
  const series: HistogramSeries[] = [];
  let below = 0;
  source.bounds.forEach((bound, index) => {
    below += source.counts[index] as number;
    const le = scaled(bound, metric.scale);
    series.push({ metricName: `${metric.name}_bucket`, labels: { le }, value: below });
  });
  series.push(
    { metricName: `${metric.name}_bucket`, labels: { le: '+Inf' }, value: source.count },
    { metricName: `${metric.name}_sum`, labels: {}, value: scaled(source.sum, metric.scale) },
    { metricName: `${metric.name}_count`, labels: {}, value: source.count },
  );
  return series;
}

/** Fourteen digits hide the rounding of the scale (2.5 ms is 0.0025 s, not 0.0025000000000000005). */
function scaled(value: number, scale: number): number {
  return Number((value * scale).toPrecision(14));
}
