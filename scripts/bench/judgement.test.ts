import { expect, test } from 'vitest';
import { isBehind, isLoss, medianOf, rowOf } from './judgement.ts';
import { type BrokerName, faultsOf, type LoadFigures, type Measurement } from './load-result.ts';
import { type Bound, SCENARIOS, type Yardstick } from './yardstick.ts';

const medians = [
  [[], null, 'nothing has no middle'],
  [[3], 3, 'one is its own'],
  [[9, 1, 5], 5, 'order does not count'],
  [[1, 2, 100, 4], 3, 'between two it is their mean'],
] as const;

for (const [values, expected, why] of medians) {
  test(`median: ${why}`, () => {
    expect(medianOf(values)).toBe(expected);
  });
}

const ratio = (limit: number): Bound => ({ of: 'ratio', limit });
const value = (limit: number): Bound => ({ of: 'value', limit });

const verdicts = [
  ['more', ratio(10), ratio(25), 25, 'goal met', 'a goal includes its limit'],
  ['more', ratio(10), ratio(25), 24, 'floor met', 'between the two'],
  ['more', ratio(10), ratio(25), 9, 'below floor', 'under both'],
  ['more', ratio(5), null, 6, 'floor met', 'a floor alone is enough'],
  ['more', null, null, 6, 'no goal set', 'nothing to judge by'],
  ['less', null, ratio(1.2), 1.3, 'goal missed', 'no floor to stand on'],
  ['less', value(5), value(2), 2, 'goal met', 'our own figure, whatever the peer does'],
  ['less', ratio(2), value(3), 2, 'goal met', 'a floor by ratio and a goal by value'],
] as const;

for (const [better, floor, goal, ours, expected, why] of verdicts) {
  test(`verdict: ${why}`, () => {
    const row = rowOf(yardstick({ better, floor, goal }), [
      run('mosquitto', 0, 1),
      run('robustmq', 0, ours),
    ]);
    expect(row.verdict).toBe(expected);
  });
}

test('the ratio is the median over pairs, not the ratio of the medians', () => {
  const row = rowOf(yardstick({ floor: ratio(1) }), [
    ...[run('mosquitto', 0, 1), run('robustmq', 0, 10)],
    ...[run('mosquitto', 1, 10), run('robustmq', 1, 20)],
  ]);
  expect([row.ours, row.theirs, row.ratio]).toEqual([15, 5.5, 6]);
});

test('a round in which the peer fails has no pair', () => {
  const row = rowOf(yardstick({ floor: ratio(1) }), [
    ...[failed('mosquitto', 0), run('robustmq', 0, 10)],
    ...[run('mosquitto', 1, 10), run('robustmq', 1, 20)],
  ]);
  expect([row.ratio, row.verdict]).toEqual([2, 'floor met']);
});

test('without any run of the peer a ratio is not judged, a figure of our own is', () => {
  const runs = [failed('mosquitto', 0), run('robustmq', 0, 10)];
  expect(rowOf(yardstick({ goal: ratio(1) }), runs).verdict).toBe('not comparable');
  expect(rowOf(yardstick({ goal: value(1) }), runs).verdict).toBe('goal met');
});

test('one lost message of ours makes the row invalid, however fast the rest', () => {
  const runs = [
    ...[run('mosquitto', 0, 1), run('robustmq', 0, 100, { lost: 1 })],
    ...[run('mosquitto', 1, 1), run('robustmq', 1, 100)],
  ];
  const row = rowOf(yardstick({ goal: ratio(2) }), runs);
  expect([row.verdict, row.losses]).toEqual(['invalid', [1, 0, 0]]);
});

test('a met goal is on the list of losses only where the peer is ahead', () => {
  const memory = yardstick({ better: 'less', goal: value(4096) });
  const ahead = rowOf(memory, [run('mosquitto', 0, 700), run('robustmq', 0, 3000)]);
  const behind = rowOf(memory, [run('mosquitto', 0, 5000), run('robustmq', 0, 3000)]);
  expect([ahead.verdict, isBehind(ahead), isLoss(ahead)]).toEqual(['goal met', true, true]);
  expect([behind.verdict, isBehind(behind), isLoss(behind)]).toEqual(['goal met', false, false]);
});

test('faults are told by name', () => {
  expect(faultsOf(run('robustmq', 0, 1, { dup: 2, conn_failed: 1 }))).toBe('2 dup, 1 conn failed');
  expect(faultsOf(failed('robustmq', 0))).toBe('no result');
});

test('yardsticks have names of their own, and floors below their goals', () => {
  const all = SCENARIOS.flatMap((each) => each.yardsticks);
  expect(new Set(all.map((each) => each.id)).size).toBe(all.length);
  for (const { id, better, floor, goal } of all) {
    if (floor === null || goal === null || floor.of !== goal.of) continue;
    const [low, high] = better === 'more' ? [floor, goal] : [goal, floor];
    expect(low.limit, id).toBeLessThan(high.limit);
  }
});

test('figures that are worked out: bytes per filter, slowdown, milliseconds', () => {
  const read = (id: string, figures: LoadFigures): number | null | undefined =>
    SCENARIOS.flatMap((each) => each.yardsticks)
      .find((each) => each.id === id)
      ?.read(figures);
  const memory = { srv_rss_kb_before: 1000, srv_rss_kb_connected: 251_000 };
  expect(read('fill-1M memory per filter', memory)).toBe(256);
  const pace = { out_per_s: 95, 'reference.out_per_s': 100 };
  expect(read('fill-1M slowdown against p2p-100-q0-16', pace)).toBeCloseTo(5);
  expect(read('lat-p2p-1K-10K-q1 p99 latency', { 'lat_us.p99': 1500 })).toBe(1.5);
  expect(read('lat-p2p-1K-10K-q1 p99 latency', {})).toBeNull();
});

function yardstick(targets: Partial<Yardstick>): Yardstick {
  return {
    ...{ id: 'load delivered', scenario: 'load', what: 'delivered', unit: '/s', better: 'more' },
    ...{ floor: null, goal: null, read: (figures) => figures['out_per_s'] ?? null },
    ...targets,
  };
}

function run(
  broker: BrokerName,
  round: number,
  figure: number,
  faults: LoadFigures = {},
): Measurement {
  const figures = { out_per_s: figure, lost: 0, dup: 0, reordered: 0, ...faults };
  return { scenario: 'load', broker, round, figures, failure: null };
}

function failed(broker: BrokerName, round: number): Measurement {
  return { scenario: 'load', broker, round, figures: {}, failure: 'no result' };
}
