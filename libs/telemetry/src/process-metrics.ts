import { collectDefaultMetrics, type Registry } from 'prom-client';

/** The process metrics that are exposed, with what each tells; documentation for the reference page. */
export const processMetrics: readonly { readonly name: string; readonly help: string }[] = [
  { name: 'process_cpu_user_seconds_total', help: 'CPU time spent in user mode' },
  { name: 'process_cpu_system_seconds_total', help: 'CPU time spent in the kernel' },
  { name: 'process_cpu_seconds_total', help: 'CPU time, user and kernel' },
  { name: 'process_start_time_seconds', help: 'Start of the process, seconds since 1970' },
  { name: 'process_resident_memory_bytes', help: 'Resident memory' },
  { name: 'process_virtual_memory_bytes', help: 'Virtual memory (Linux)' },
  { name: 'process_heap_bytes', help: 'Data segment of the process (Linux)' },
  { name: 'process_open_fds', help: 'Open file descriptors (Linux)' },
  { name: 'process_max_fds', help: 'Limit of open file descriptors (Linux)' },
  {
    name: 'nodejs_eventloop_lag_p50_seconds',
    help: 'Event-loop delay since the last scrape, median',
  },
  {
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'Event-loop delay since the last scrape, 99th percentile',
  },
  {
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'Event-loop delay since the last scrape, longest',
  },
  { name: 'nodejs_heap_size_total_bytes', help: 'JavaScript heap, reserved' },
  { name: 'nodejs_heap_size_used_bytes', help: 'JavaScript heap, used' },
  { name: 'nodejs_external_memory_bytes', help: 'Memory of buffers outside the JavaScript heap' },
  { name: 'nodejs_version_info', help: 'Version of Node.js, as labels' },
  { name: 'nodejs_gc_duration_seconds', help: 'Garbage collections by kind, histogram' },
];

/**
 * Adds the process metrics to `registry`.
 *
 * prom-client registers more than is listed above. The rest goes: in particular the lists of active
 * handles and requests, which walk every open socket at each scrape.
 */
export function addProcessMetrics(registry: Registry): void {
  const before = new Set(registry.getMetricsAsArray().map((metric) => metric.name));
  const kept = new Set(processMetrics.map((metric) => metric.name));
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (!before.has(name) && !kept.has(name)) registry.removeSingleMetric(name);
  }
}
