/** What is measured, and how good it has to be: the floor and the goal of each figure. */

import type { LoadFigures } from './load-result.ts';

/** A limit on our own figure, or on the ratio of ours to Mosquitto's. */
export interface Bound {
  readonly of: 'ratio' | 'value';
  readonly limit: number;
}

export type Unit = '/s' | 'B' | 'ms' | 'CPU s/M' | '%';

export interface Yardstick {
  /** Unique; reasons for a miss are filed under it. */
  readonly id: string;
  readonly scenario: string;
  readonly what: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
  readonly floor: Bound | null;
  readonly goal: Bound | null;
  /** The figure of one run; null when the run does not show it. */
  readonly read: (figures: LoadFigures) => number | null;
}

/** One load, and the figures that are read off it. */
export interface Scenario {
  readonly name: string;
  /** Options of the generator where its own list has no such scenario; null: look it up there. */
  readonly options: string | null;
  /** A scenario to run just before on a fresh broker; its figures come along as `reference.*`. */
  readonly reference: string | null;
  readonly yardsticks: readonly Yardstick[];
}

type Targets = Partial<Pick<Yardstick, 'floor' | 'goal'>>;
type Shape = Pick<Yardstick, 'what' | 'unit' | 'better' | 'read'> & Targets;

const CPU_PER_MILLION = 'srv_cpu_s_per_M_out';
const FILTERS = 1_000_000;

export const SCENARIOS: readonly Scenario[] = [
  scenario('p2p-100-q0-16', [throughput(10, 25)]),
  scenario('p2p-100-q1-16', [throughput(8, 20)]),
  scenario('p2p-100-q2-16', [throughput(8, 25)]),
  scenario('p2p-1K-q1-16', [throughput(6, 16)]),
  scenario('p2p-1K-q1-1024', [throughput(4, 9.5)]),
  scenario('p2p-1K-q0-lockstep', [cpuPerMessage(1.3, 1)]),
  scenario('p2p-1K-q1-lockstep', [cpuPerMessage(1.3, 1)]),
  scenario('fanout-1-500-q0-16', [throughput(10, 28)]),
  scenario('fanout-1-500-q0-1024', [throughput(5, null)]),
  scenario('fanout-1-500-q1-16', [throughput(null, null)]),
  scenario('fanin-500-5-q0-16', [throughput(null, null)]),
  scenario('sharedsub-500-5-q1-16', [throughput(8, 25)]),
  scenario('lat-p2p-1K-10K-q1', [
    latency('p50', { floor: ratio(2), goal: value(0.1) }),
    latency('p99', { floor: value(5), goal: value(2) }),
    cpuPerMessage(null, 1.2),
  ]),
  {
    ...scenario('conn-15K', [
      {
        ...{ what: 'memory per idle session', unit: 'B', better: 'less' },
        read: figure('srv_bytes_per_conn'),
        ...{ floor: value(8192), goal: value(4096) },
      },
      {
        ...{ what: 'connects', unit: '/s', better: 'more', read: figure('conn_per_s') },
        ...{ floor: value(6_000), goal: value(15_000) },
      },
    ]),
    options: 'conn -n 15000 --parallel 64 -d 2',
  },
  scenario('retained-100K', [
    rate('publish', { floor: ratio(1), goal: ratio(3) }),
    rate('replay', { floor: ratio(1), goal: ratio(4) }),
  ]),
  scenario('offline-100K', [
    { ...rate('publish', { floor: ratio(1), goal: ratio(3) }), what: 'store' },
    rate('replay', { floor: ratio(1), goal: ratio(3) }),
  ]),
  {
    ...scenario('fill-1M', [
      {
        ...{ what: 'memory per filter', unit: 'B', better: 'less', read: bytesPerFilter },
        ...{ floor: value(500), goal: value(250) },
      },
      {
        ...{ what: 'slowdown against p2p-100-q0-16', unit: '%', better: 'less', read: slowdown },
        ...{ floor: value(20), goal: value(5) },
      },
    ]),
    reference: 'p2p-100-q0-16',
  },
  scenario('persist-p2p-100-q1', [throughput(2, 10)]),
];

/** A look at the main shapes, in about a minute. */
export const QUICK_SCENARIOS: readonly string[] = [
  ...['p2p-100-q0-16', 'p2p-100-q1-16', 'p2p-1K-q0-lockstep', 'fanout-1-500-q0-16'],
  ...['sharedsub-500-5-q1-16', 'persist-p2p-100-q1'],
];

/** The processor time behind a throughput figure; null for loads without messages. */
export function cpuSecondsPerMillion(figures: LoadFigures): number | null {
  return figures[CPU_PER_MILLION] ?? null;
}

function scenario(name: string, shapes: readonly Shape[]): Scenario {
  const yardsticks = shapes.map((shape) => ({
    ...{ floor: null, goal: null },
    ...shape,
    ...{ id: `${name} ${shape.what}`, scenario: name },
  }));
  return { name, options: null, reference: null, yardsticks };
}

function throughput(floor: number | null, goal: number | null): Shape {
  return {
    ...{ what: 'delivered', unit: '/s', better: 'more', read: figure('out_per_s') },
    ...{ floor: ratioOrNone(floor), goal: ratioOrNone(goal) },
  };
}

function cpuPerMessage(floor: number | null, goal: number | null): Shape {
  return {
    ...{ what: 'CPU per message', unit: 'CPU s/M', better: 'less', read: figure(CPU_PER_MILLION) },
    ...{ floor: ratioOrNone(floor), goal: ratioOrNone(goal) },
  };
}

function latency(percentile: 'p50' | 'p99', targets: Targets): Shape {
  const micros = figure(`lat_us.${percentile}`);
  const read = (figures: LoadFigures): number | null => {
    const found = micros(figures);
    return found === null ? null : found / 1000;
  };
  return { what: `${percentile} latency`, unit: 'ms', better: 'less', read, ...targets };
}

function rate(phase: 'publish' | 'replay', targets: Targets): Shape {
  return { what: phase, unit: '/s', better: 'more', read: figure(`${phase}_per_s`), ...targets };
}

function bytesPerFilter(figures: LoadFigures): number | null {
  const before = figures['srv_rss_kb_before'];
  const after = figures['srv_rss_kb_connected'];
  return before === undefined || after === undefined ? null : ((after - before) * 1024) / FILTERS;
}

/** Per cent of the messages per second that the reference run has over this one. */
function slowdown(figures: LoadFigures): number | null {
  const reference = figures['reference.out_per_s'] ?? 0;
  const filled = figures['out_per_s'];
  return filled === undefined || reference === 0 ? null : (1 - filled / reference) * 100;
}

function figure(name: string): (figures: LoadFigures) => number | null {
  return (figures) => figures[name] ?? null;
}

function ratio(limit: number): Bound {
  return { of: 'ratio', limit };
}

function value(limit: number): Bound {
  return { of: 'value', limit };
}

function ratioOrNone(limit: number | null): Bound | null {
  return limit === null ? null : ratio(limit);
}
