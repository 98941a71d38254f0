/** What the load generator reports: one line of JSON, flattened to `name` and `name.part` numbers. */

/** `out_per_s`, `lost`, `lat_us.p99` and so on, as the generator names them. */
export type LoadFigures = Readonly<Record<string, number>>;

export type BrokerName = 'mosquitto' | 'robustmq';

/** One run of one scenario against one broker. */
export interface Measurement {
  readonly scenario: string;
  readonly broker: BrokerName;
  /** From 0; the runs of one round form a pair. */
  readonly round: number;
  /** Empty when the run failed. */
  readonly figures: LoadFigures;
  /** Why there are no figures; null when there are. */
  readonly failure: string | null;
}

/** Counts that must all be 0, or the figures of the run mean nothing. */
const FAULTS = [
  ...['lost', 'dup', 'reordered', 'bad', 'ack_errors', 'sub_errors', 'spurious_acks'],
  ...['conn_failed', 'disconnects', 'stalls'],
];
/** Above this share of its core the generator, not the broker, sets the pace. */
const GENERATOR_BUSY = 0.95;

/** Reads the last line that is a JSON object; null when there is none. */
export function parseLoadFigures(output: string): LoadFigures | null {
  const line = output.split('\n').findLast((each) => each.startsWith('{'));
  if (line === undefined) return null;
  try {
    return flattened(JSON.parse(line) as Readonly<Record<string, unknown>>);
  } catch {
    return null;
  }
}

function flattened(values: Readonly<Record<string, unknown>>): LoadFigures {
  const entries = Object.entries(values).flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[name, value]];
    if (typeof value !== 'object' || value === null) return [];
    const parts = Object.entries(flattened(value as Readonly<Record<string, unknown>>));
    return parts.map(([part, number]) => [`${name}.${part}`, number]);
  });
  return Object.fromEntries(entries);
}

/** `3 lost, 1 stalls`, or the failure itself; empty when the run is valid. */
export function faultsOf({ figures, failure }: Measurement): string {
  if (failure !== null) return failure;
  return FAULTS.filter((name) => (figures[name] ?? 0) !== 0)
    .map((name) => `${String(figures[name])} ${name.replace('_', ' ')}`)
    .join(', ');
}

/** Whether the generator ran out of time before the broker did: the figure is a lower bound. */
export function isGeneratorBound({ figures }: Measurement): boolean {
  return (figures['gen_cpu_util'] ?? 0) > GENERATOR_BUSY && (figures['srv_cpu_util'] ?? 1) < 0.95;
}
