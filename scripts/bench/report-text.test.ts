import { expect, test } from 'vitest';
import { parseScenarioList } from './load-generator.ts';
import { parseLoadFigures } from './load-result.ts';
import {
  type BenchRun,
  figureText,
  pageText,
  ratioText,
  rowsOf,
  tableText,
} from './report-text.ts';

const outputs = [
  ['{"lost":0,"lat_us":{"p99":1.5},"mode":"p2p"}\n', { lost: 0, 'lat_us.p99': 1.5 }, 'flattened'],
  ['mqttload: hello\n{"a":1}\n{"a":2}\n', { a: 2 }, 'the last line counts'],
  ['no progress\n', null, 'no JSON'],
  ['{"a":1', null, 'half a line'],
] as const;

for (const [output, expected, why] of outputs) {
  test(`the generator's output: ${why}`, () => {
    expect(parseLoadFigures(output)).toEqual(expected);
  });
}

test('the list of scenarios is read by tabs', () => {
  const list = parseScenarioList(
    'conn-10K\tconn -n 10000\nnot a scenario\nchurn\tchurn --parallel 64\n',
  );
  expect([...list]).toEqual([
    ['conn-10K', 'conn -n 10000'],
    ['churn', 'churn --parallel 64'],
  ]);
});

const figures = [
  [6_439_000, '/s', '6.44 M/s'],
  [999_700, '/s', '1.00 M/s'],
  [96_100, '/s', '96.1 K/s'],
  [250, '/s', '250/s'],
  [3987.4, 'B', '3987 B'],
  [0.052, 'ms', '0.052 ms'],
  [-1.25, '%', '-1.3 %'],
  [null, '/s', '–'],
] as const;

for (const [figure, unit, expected] of figures) {
  test(`${figure} in ${unit} reads ${expected}`, () => {
    expect(figureText(figure, unit)).toBe(expected);
  });
}

test('ratios have three digits', () => {
  expect([53.44, 1.004, null].map(ratioText)).toEqual(['53.4×', '1.00×', '–']);
});

const run: BenchRun = {
  ...{ date: '2025-01-31', command: 'make bench', rounds: 1, seconds: 5 },
  machine: [['Memory', '24 GiB']],
  measurements: [
    measurement('p2p-100-q1-16', 'mosquitto', { out_per_s: 50_000, srv_cpu_s_per_M_out: 20 }),
    measurement('p2p-100-q1-16', 'robustmq', { out_per_s: 500_000, srv_cpu_s_per_M_out: 2 }),
    measurement('p2p-100-q0-16', 'mosquitto', { out_per_s: 100_000 }),
    measurement('p2p-100-q0-16', 'robustmq', { out_per_s: 5_000_000, lost: 3 }),
  ],
};

test('rows come in the order of the catalogue, for scenarios that ran', () => {
  expect(rowsOf(run).map((row) => [row.yardstick.scenario, row.verdict])).toEqual([
    ['p2p-100-q0-16', 'invalid'],
    ['p2p-100-q1-16', 'floor met'],
  ]);
});

test('the terminal shows one aligned line per row', () => {
  const lines = tableText(rowsOf(run)).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(
    /^p2p-100-q1-16 +delivered +500 K\/s +50\.0 K\/s +10\.0× +2\.00 +20\.0 +0\/0\/0 /,
  );
});

test('the page has the table, the machine, the command, invalid runs and the losses', () => {
  const page = pageText(run);
  expect(page).toContain(
    '0 of 2 goals met; 0 figures below their floor; 1 without a valid comparison.',
  );
  expect(page).toContain(
    '| p2p-100-q1-16 | delivered | 500 K/s | 50.0 K/s | 10.0× | 2.00 | 20.0 | 0/0/0 | ≥ 8× | ≥ 20× | floor met |',
  );
  expect(page).toContain('- p2p-100-q0-16, robustmq, round 1: invalid (3 lost)');
  expect(page).toContain(
    "- **p2p-100-q1-16 delivered**: 500 K/s, 10.0× of Mosquitto's: floor met; the goal is ≥ 20×.",
  );
  expect(page).toContain('**A partial run.** Not measured: p2p-100-q2-16, ');
  expect(page).toContain('- Memory: 24 GiB');
  expect(page).toContain('`make bench`');
});

function measurement(
  scenario: string,
  broker: 'mosquitto' | 'robustmq',
  figuresOfRun: Readonly<Record<string, number>>,
): BenchRun['measurements'][number] {
  return { scenario, broker, round: 0, figures: figuresOfRun, failure: null };
}
