/**
 * The command line of the simulator.
 *
 *     main.ts --seed N                     one seed, with its story
 *     main.ts --seeds 2000 --from 1        many; ends with figures; exit code 1 on a violation
 *     main.ts … --seconds 60               simulated seconds of faults (default 60)
 *     main.ts … --bug NAME                 with a planted bug
 *     main.ts --mutants [--bug NAME]       every planted bug: the seeds it takes to find it
 */
import { parseArgs } from 'node:util';
import { mutantNamed, mutants } from './mutants.ts';
import { NO_BUGS } from './bugs.ts';
import { RAFT_RULES } from '@robustmq/raft';
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    bug: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});

const seconds = Number(values.seconds);

function optionsFor(seed: number, bug: string | undefined): SimulationOptions {
  const mutant = bug === undefined ? null : mutantNamed(bug);
  const rules = mutant?.rules ?? RAFT_RULES;
  return { seed, seconds, rules, bugs: mutant?.bugs ?? NO_BUGS, tell: null };
}

function runOne(seed: number): void {
  const tell = (text: string): void => console.log(text);
  const result = simulate({ ...optionsFor(seed, values.bug), tell });
  console.log(describe(result));
  if (result.violation !== null) process.exitCode = 1;
}

function runMany(from: number, count: number): void {
  const startedAtMs = performance.now();
  let simulatedMs = 0;
  let operations = 0;
  let entries = 0;
  let violations = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const result = simulate(optionsFor(seed, values.bug));
    simulatedMs += result.simulatedMs;
    operations += result.operations;
    entries += result.committedEntries;
    if (result.violation === null) continue;
    violations += 1;
    console.log(`${describe(result)}\n  replay: make sim SEED=${seed}`);
  }
  const tookMs = performance.now() - startedAtMs;
  const speed = (simulatedMs / tookMs).toFixed(0);
  console.log(
    `${count} seeds, ${violations} violations, ${(simulatedMs / 1000).toFixed(0)} simulated s in ` +
      `${(tookMs / 1000).toFixed(1)} s (${speed}x real time), ${entries} entries committed, ` +
      `${operations} client operations`,
  );
  if (violations > 0) process.exitCode = 1;
}

function runMutants(seedsMax: number): void {
  for (const { name } of mutants) {
    if (values.bug !== undefined && values.bug !== name) continue;
    let found: SimulationResult | null = null;
    let seed = 1;
    for (; seed <= seedsMax && found === null; seed += 1) {
      const result = simulate(optionsFor(seed, name));
      if (result.violation !== null) found = result;
    }
    const verdict =
      found === null ? 'NOT FOUND' : `seed ${found.seed}: ${found.violation?.invariant}`;
    console.log(`${name.padEnd(40)} ${verdict}`);
    if (found === null) process.exitCode = 1;
  }
}

function describe(result: SimulationResult): string {
  const { seed, violation, traceHash, simulatedMs, operations, committedEntries, nodes } = result;
  const verdict = violation === null ? 'ok' : violation.message;
  return (
    `seed ${seed}: ${verdict}; trace ${traceHash}, ${simulatedMs} ms, ${nodes} nodes, ` +
    `${committedEntries} entries, ${operations} operations`
  );
}

if (values.mutants) runMutants(Number(values.seeds));
else if (values.seed === undefined) runMany(Number(values.from), Number(values.seeds));
else runOne(Number(values.seed));
