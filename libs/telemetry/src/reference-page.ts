import { type LogEvent, logEvents } from './log-events.ts';
import { metricCatalogue } from './metric-catalogue.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { journalServerMetrics } from './journal-server-metrics.ts';
import type { PlainMetric } from './plain-metrics.ts';
import { placementMetrics } from './placement-metrics.ts';
import { processMetrics } from './process-metrics.ts';

/** The text of `docs/reference/metrics.md`. A test compares the page with it. */
export function metricsReferencePage(): string {
  return `# Metrics

Served in the Prometheus text format at \`/metrics\` of the HTTP port. This page is generated from the
catalogue in \`libs/telemetry\`; \`node --conditions=source libs/telemetry/src/write-reference.ts\` writes it.

Names that RobustMQ's users know begin with \`mqtt_\` and are kept where they mean the same; all others
begin with \`robust_mqtt_\` and carry their unit. A fact has one name: sum over a label, or over
names, where a total is wanted, for instance \`sum(rate(mqtt_packets_publish_received[1m]))\`. Counters
count from the start of the process. Every value of a label is listed, and there is no label whose
values clients choose.

${metricCatalogue.map((group) => `## ${group.title}\n\n${metricTable(group.metrics)}`).join('\n\n')}

## Placement center

Served by the placement center itself, on its own HTTP port.

${plainTable(placementMetrics)}

## Journal server

Served by each journal server itself, on its own HTTP port.

${plainTable(journalServerMetrics)}

## Process

${processTable()}

## Not exposed

| Name | Why |
|---|---|
| \`mqtt_packets_received\`, \`mqtt_packets_sent\` | the sum over packet types: \`sum({__name__=~"mqtt_packets_.+_received"})\` |
| \`mqtt_messages_delayed\` | there is no delayed publishing yet |
`;
}

function metricTable(metrics: readonly MetricDefinition[]): string {
  const rows = metrics.map(
    (metric) =>
      `| \`${metric.name}\` | ${metric.kind} | ${metric.unit} | ${labelCell(metric)} | ${metric.help} |`,
  );
  return ['| Name | Kind | Unit | Label | Meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

function labelCell(metric: MetricDefinition): string {
  if (metric.kind === 'histogram' || metric.label === null) return '–';
  const values = metric.series.map((series) => `\`${series.labelValue}\``).join(', ');
  return `\`${metric.label}\`: ${values}`;
}

function plainTable(metrics: readonly PlainMetric<string>[]): string {
  const rows = metrics.map(
    ({ name, kind, unit, help }) => `| \`${name}\` | ${kind} | ${unit} | ${help} |`,
  );
  return ['| Name | Kind | Unit | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function processTable(): string {
  const rows = processMetrics.map(({ name, help }) => `| \`${name}\` | ${help} |`);
  return ['| Name | Meaning |', '|---|---|', ...rows].join('\n');
}

/** The text of `docs/reference/log-events.md`. A test compares the page with it. */
export function logEventsReferencePage(): string {
  const rows = Object.values<LogEvent>(logEvents).map(
    (event) =>
      `| \`${event.name}\` | ${event.level} | ${event.perSecondMax} | ${event.fields.map((field) => `\`${field}\``).join(', ')} | ${event.help} |`,
  );
  return `# Log events

Each line of the log is one event with fields, as JSON: \`time\` (ISO 8601, UTC), \`level\`, \`event\` and
the fields below. This page is generated from the catalogue in \`libs/telemetry\`;
\`node --conditions=source libs/telemetry/src/write-reference.ts\` writes it.

Of one event, at most the given number of lines a second is written; what is left out is counted and
told in the field \`suppressed\` of the next line, or by \`log.suppressed\`. Messages are never logged one
by one. Values of keys such as \`password\`, \`authenticationData\`, \`token\` and \`payload\` are replaced by
\`[redacted]\`; texts beyond 512 characters are cut. \`err\` holds \`type\`, \`message\`, \`stack\` and, where
there is one, \`code\`, \`fault\` and \`cause\`.

Files are set aside at \`log_segment_size\` bytes and \`log_file_num\` of them are kept. Lines that a slow
or full disk does not take are dropped, counted, and told by the line \`log.lines_dropped\`.

| Event | Level | Lines a second | Fields | Meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
