import { describe, expect, test } from 'vitest';
import { createBrokerCounters } from './broker-counters.ts';
import { type GaugeSource, zeroGaugeSource } from './gauge-source.ts';
import { metricCatalogue } from './metric-catalogue.ts';
import { createMetricsRegistry } from './metrics-registry.ts';
import { processMetrics } from './process-metrics.ts';

/** The sample lines, without comments and blank lines. */
function samplesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const metrics = metricCatalogue.flatMap((group) => group.metrics);

/** Every field holds its own number, so that a swapped field shows. */
function distinctSources(): {
  counters: ReturnType<typeof createBrokerCounters>;
  gauges: GaugeSource;
} {
  const counters = createBrokerCounters();
  Object.keys(counters).forEach((field, index) => {
    counters[field as keyof typeof counters] = 1_000 + index;
  });
  const gauges = Object.fromEntries(
    Object.keys(zeroGaugeSource).map((field, index) => [field, () => 5_000 + index]),
  ) as unknown as GaugeSource;
  return { counters, gauges };
}

describe('the metrics of a broker', () => {
  test('render as they are documented', async () => {
    const { counters, gauges } = distinctSources();
    const registry = createMetricsRegistry(counters, gauges, 'omitted');
    registry.histograms.journalFlushNs.observe(2_400_000);
    registry.histograms.journalCommitRecords.observe(17);
    await expect(await registry.render()).toMatchFileSnapshot('../testdata/metrics.txt');
  });

  test('read the sources anew at each scrape', async () => {
    const counters = createBrokerCounters();
    let connections = 1;
    const gauges = { ...zeroGaugeSource, connections: () => connections };
    const registry = createMetricsRegistry(counters, gauges, 'omitted');
    await registry.render();
    counters.publishReceivedQos1 += 3;
    connections = 2;
    const samples = samplesOf(await registry.render());
    expect(samples).toContain('mqtt_packets_publish_received{qos="1"} 3');
    expect(samples).toContain('mqtt_connections_count 2');
  });

  test('give buckets cumulatively, in the unit of the name', async () => {
    const registry = createMetricsRegistry(createBrokerCounters(), zeroGaugeSource, 'omitted');
    for (const ms of [0.3, 3, 9_000]) registry.histograms.journalFlushNs.observe(ms * 1e6);
    const samples = samplesOf(await registry.render());
    const name = 'robust_mqtt_journal_flush_duration_seconds';
    expect(samples).toContain(`${name}_bucket{le="0.00025"} 0`);
    expect(samples).toContain(`${name}_bucket{le="0.0005"} 1`);
    expect(samples).toContain(`${name}_bucket{le="0.005"} 2`);
    expect(samples).toContain(`${name}_bucket{le="+Inf"} 3`);
    expect(samples).toContain(`${name}_count 3`);
    expect(samples).toContain(`${name}_sum 9.0033`);
  });

  test('fail as a whole when a source fails, rather than tell half', async () => {
    const gauges: GaugeSource = {
      ...zeroGaugeSource,
      topics: () => {
        throw new Error('the index is closed');
      },
    };
    const registry = createMetricsRegistry(createBrokerCounters(), gauges, 'omitted');
    await expect(registry.render()).rejects.toThrow('the index is closed');
  });

  test('hold the documented process metrics and no others', async () => {
    const registry = createMetricsRegistry(createBrokerCounters(), zeroGaugeSource);
    const text = await registry.render();
    const names = [...text.matchAll(/^# TYPE ((?:process|nodejs)_\S+)/gm)].map((match) => match[1]);
    const documented = processMetrics.map((metric) => metric.name);
    expect(documented).toEqual(expect.arrayContaining(names));
    expect(names).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(names).not.toContain('nodejs_active_handles');
  });
});

describe('the catalogue', () => {
  test('has each name once', () => {
    const names = metrics.map((metric) => metric.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('reads every counter and every gauge exactly once: one fact, one name', () => {
    const read = metrics.flatMap((metric) =>
      metric.kind === 'histogram'
        ? []
        : metric.series.map(({ reading }) => `${reading.from}:${reading.field}`),
    );
    const fields = [
      ...Object.keys(createBrokerCounters()).map((field) => `counter:${field}`),
      ...Object.keys(zeroGaugeSource).map((field) => `gauge:${field}`),
    ];
    expect(read.toSorted()).toEqual(fields.toSorted());
  });

  test('begins every name with mqtt_ or robust_mqtt_, and ends own counters with _total', () => {
    for (const metric of metrics) {
      expect(metric.name).toMatch(/^(robust_)?mqtt_[a-z0-9_]+$/);
      if (metric.name.startsWith('robust_') && metric.kind === 'counter') {
        expect(metric.name).toMatch(/_total$/);
      }
    }
  });

  test('keeps the names that RobustMQ users know', () => {
    const names = metrics.map((metric) => metric.name);
    expect(names).toEqual(
      expect.arrayContaining([
        'mqtt_packets_connect_received',
        'mqtt_packets_publish_received',
        'mqtt_packets_connack_sent',
        'mqtt_bytes_received',
        'mqtt_bytes_sent',
        'mqtt_connections_count',
        'mqtt_sessions_count',
        'mqtt_topics_count',
        'mqtt_subscribers_count',
        'mqtt_subscriptions_shared_count',
        'mqtt_retained_count',
        'mqtt_auth_success',
        'mqtt_auth_failed',
        'mqtt_acl_success',
        'mqtt_acl_failed',
        'mqtt_blacklist_blocked',
        'mqtt_packet_process_duration_ms',
      ]),
    );
  });
});
