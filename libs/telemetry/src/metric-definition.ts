import type { CounterField } from './broker-counters.ts';
import type { HistogramField } from './broker-histograms.ts';
import type { GaugeField } from './gauge-source.ts';

/** Where one time series gets its value from. */
export type MetricReading =
  | { readonly from: 'counter'; readonly field: CounterField }
  | { readonly from: 'gauge'; readonly field: GaugeField };

/** One time series of a metric: a label value (or null for the only series) and its reading. */
export interface MetricSeries {
  readonly labelValue: string | null;
  readonly reading: MetricReading;
}

/** A counter or gauge: has at most one label, whose values are all listed here. */
export interface ScalarMetric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  /** What one step of the value is: `messages`, `bytes`, … */
  readonly unit: string;
  readonly help: string;
  readonly label: string | null;
  readonly series: readonly MetricSeries[];
}

/** A histogram: never labelled. `scale` turns the observed unit into the exposed one. */
export interface HistogramMetric {
  readonly name: string;
  readonly kind: 'histogram';
  readonly unit: string;
  readonly help: string;
  readonly field: HistogramField;
  readonly scale: number;
}

/** One entry of the catalogue. */
export type MetricDefinition = ScalarMetric | HistogramMetric;

function single(
  head: Omit<ScalarMetric, 'label' | 'series'>,
  reading: MetricReading,
): ScalarMetric {
  return { ...head, label: null, series: [{ labelValue: null, reading }] };
}

/** A total that the broker counts. */
export function counter(
  name: string,
  unit: string,
  field: CounterField,
  help: string,
): ScalarMetric {
  return single({ name, kind: 'counter', unit, help }, { from: 'counter', field });
}

/** A total that another package counts and the gauge source passes on. */
export function total(name: string, unit: string, field: GaugeField, help: string): ScalarMetric {
  return single({ name, kind: 'counter', unit, help }, { from: 'gauge', field });
}

/** A value that goes up and down. */
export function gauge(name: string, unit: string, field: GaugeField, help: string): ScalarMetric {
  return single({ name, kind: 'gauge', unit, help }, { from: 'gauge', field });
}

/** A counter that splits one fact by one label. */
export function split(
  head: Omit<ScalarMetric, 'label' | 'series' | 'kind'>,
  label: string,
  fields: Readonly<Record<string, CounterField>>,
): ScalarMetric {
  const series = Object.entries(fields).map(
    ([labelValue, field]): MetricSeries => ({ labelValue, reading: { from: 'counter', field } }),
  );
  return { ...head, kind: 'counter', label, series };
}
