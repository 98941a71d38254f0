/** From runs to rows: medians, ratios of pairs, verdicts. */

import { type BrokerName, faultsOf, type LoadFigures, type Measurement } from './load-result.ts';
import { type Bound, cpuSecondsPerMillion, type Yardstick } from './yardstick.ts';

export type Verdict =
  | 'goal met'
  | 'floor met'
  | 'goal missed' // no floor is set
  | 'below floor'
  | 'no goal set'
  | 'invalid' // one of our runs failed, or lost, repeated or reordered something
  | 'not comparable'; // Mosquitto has no valid run

/** One line of the table. Figures are medians over valid runs; null without any. */
export interface Row {
  readonly yardstick: Yardstick;
  readonly ours: number | null;
  readonly theirs: number | null;
  /** The median over the rounds of ours / theirs. */
  readonly ratio: number | null;
  readonly ourCpu: number | null;
  readonly theirCpu: number | null;
  /** Lost, repeated and reordered messages of all our runs together. */
  readonly losses: readonly [lost: number, repeated: number, reordered: number];
  readonly verdict: Verdict;
}

export function rowOf(yardstick: Yardstick, measurements: readonly Measurement[]): Row {
  const runs = measurements.filter((each) => each.scenario === yardstick.scenario);
  const ours = runs.filter((each) => each.broker === 'robustmq');
  const median = (broker: BrokerName, read: Yardstick['read']): number | null =>
    medianOf(valuesOf(runs, broker, read));
  const figures = {
    ours: median('robustmq', yardstick.read),
    theirs: median('mosquitto', yardstick.read),
    // A share of something has no meaningful ratio to another share.
    ratio: yardstick.unit === '%' ? null : medianOf(ratiosOf(runs, yardstick.read)),
  };
  const isValid = ours.length > 0 && ours.every((each) => faultsOf(each) === '');
  return {
    yardstick,
    ...figures,
    ourCpu: median('robustmq', cpuSecondsPerMillion),
    theirCpu: median('mosquitto', cpuSecondsPerMillion),
    losses: [total(ours, 'lost'), total(ours, 'dup'), total(ours, 'reordered')],
    verdict: isValid ? verdictOf(yardstick, figures) : 'invalid',
  };
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** Whether the row belongs on the list of losses: a target is missed, or Mosquitto is ahead. */
export function isLoss(row: Row): boolean {
  return (
    ['below floor', 'goal missed', 'invalid', 'not comparable'].includes(row.verdict) ||
    (row.verdict === 'floor met' && row.yardstick.goal !== null) ||
    isBehind(row)
  );
}

/** Whether Mosquitto's figure is the better one. */
export function isBehind({ yardstick, ratio }: Row): boolean {
  return ratio !== null && (yardstick.better === 'more' ? ratio < 1 : ratio > 1);
}

function verdictOf(
  { floor, goal, better }: Yardstick,
  figures: Readonly<Record<'ours' | 'ratio', number | null>>,
): Verdict {
  if (floor === null && goal === null) return 'no goal set';
  const holds = (bound: Bound | null): boolean | null => {
    const found = bound?.of === 'ratio' ? figures.ratio : figures.ours;
    if (bound === null || found === null) return null;
    return better === 'more' ? found >= bound.limit : found <= bound.limit;
  };
  const [overFloor, overGoal] = [holds(floor), holds(goal)];
  if (overFloor === false) return 'below floor';
  if ((floor !== null && overFloor === null) || (goal !== null && overGoal === null)) {
    return 'not comparable';
  }
  if (overGoal === true) return 'goal met';
  return overFloor === null ? 'goal missed' : 'floor met';
}

function valuesOf(
  runs: readonly Measurement[],
  broker: BrokerName,
  read: (figures: LoadFigures) => number | null,
): readonly number[] {
  return runs
    .filter((each) => each.broker === broker && faultsOf(each) === '')
    .map((each) => read(each.figures))
    .filter((each) => each !== null);
}

/** One ratio per round in which both brokers have a valid run. */
function ratiosOf(runs: readonly Measurement[], read: Yardstick['read']): readonly number[] {
  return [...new Set(runs.map((each) => each.round))].flatMap((round) => {
    const pair = runs.filter((each) => each.round === round);
    const [ours] = valuesOf(pair, 'robustmq', read);
    const [theirs] = valuesOf(pair, 'mosquitto', read);
    return ours === undefined || theirs === undefined || theirs <= 0 ? [] : [ours / theirs];
  });
}

function total(runs: readonly Measurement[], name: string): number {
  return runs.reduce((sum, each) => sum + (each.figures[name] ?? 0), 0);
}
