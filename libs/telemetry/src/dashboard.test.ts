import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { metricCatalogue } from './metric-catalogue.ts';
import { processMetrics } from './process-metrics.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
}

const file = join(import.meta.dirname, '../../../deploy/dashboards/robustmq.json');
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as { readonly panels: readonly Panel[] };
const expressions = dashboard.panels
  .flatMap((panel) => panel.targets ?? [])
  .map(({ expr }) => expr);

/** Parts of a query that look like names: texts, variables, functions. */
const notMetricNames = /"[^"]*"|\$__rate_interval|__name__|histogram_quantile/g;

/** Names of series, those of histograms included. */
function seriesNames(): Set<string> {
  const names = new Set(processMetrics.map((metric) => metric.name));
  names.add('nodejs_gc_duration_seconds_sum');
  names.add('up'); // Written by Prometheus itself.
  for (const metric of metricCatalogue.flatMap((group) => group.metrics)) {
    if (metric.kind !== 'histogram') names.add(metric.name);
    else for (const part of ['bucket', 'sum', 'count']) names.add(`${metric.name}_${part}`);
  }
  return names;
}

describe('the Grafana dashboard', () => {
  test('uses metrics of the catalogue only', () => {
    const known = seriesNames();
    const words = expressions.flatMap(
      (expr) => expr.replaceAll(notMetricNames, '').match(/[a-z]+_[a-z0-9_]+/g) ?? [],
    );
    const unknown = words.filter((word) => !known.has(word));
    expect(unknown).toEqual([]);
    expect(expressions.length).toBeGreaterThan(20);
  });

  test('selects packets of all types by patterns that match metrics of the catalogue', () => {
    const known = [...seriesNames()];
    const patterns = expressions.flatMap((expr) =>
      [...expr.matchAll(/__name__=~"([^"]+)"/g)].map((match) => match[1] ?? ''),
    );
    for (const pattern of patterns) {
      expect(
        known.filter((name) => new RegExp(`^(?:${pattern})$`).test(name)).length,
      ).toBeGreaterThan(5);
    }
  });

  test('gives each panel its own id and a place that no other covers', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map((panel) => panel.id)).size).toBe(panels.length);
    for (const a of panels) {
      const covered = panels.filter((b) => b !== a && overlap(a.gridPos, b.gridPos));
      expect(covered.map((panel) => panel.title)).toEqual([]);
      expect(a.gridPos.x + a.gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
