/** Many seeds: what one piece of work is, and what comes of it. Data only, so that processes can pass it. */
import { RAFT_RULES } from '@robustmq/raft';
import { NO_BUGS } from './bugs.ts';
import { type FaultCounts, sumOfFaults } from './fault-tally.ts';
import { mutantNamed } from './mutants.ts';
import { simulate, type SimulationOptions, type SimulationResult } from './simulation.ts';
import type { Invariant } from './violation.ts';

export interface Task {
  /** `run` goes through all seeds; `hunt` stops at the first violation. */
  readonly kind: 'run' | 'hunt';
  readonly firstSeed: number;
  readonly seeds: number;
  readonly seconds: number;
  /** A planted bug; null for the correct code. */
  readonly bug: string | null;
}

/** Every so many seeds one is simulated twice. */
const REPLAYED_EVERY = 50;

export interface FoundViolation {
  readonly seed: number;
  readonly invariant: Invariant;
  readonly message: string;
}

export interface Figures {
  readonly seeds: number;
  readonly simulatedMs: number;
  /** Of the processor, over all processes: what one idle core would take. */
  readonly cpuMs: number;
  readonly committedEntries: number;
  readonly operations: number;
  readonly revisions: number;
  readonly records: number;
  /** Seeds that were simulated a second time, with the same history. */
  readonly replayed: number;
  readonly violations: readonly FoundViolation[];
  readonly faults: FaultCounts;
}

export const NO_FIGURES: Figures = {
  seeds: 0,
  simulatedMs: 0,
  cpuMs: 0,
  committedEntries: 0,
  operations: 0,
  revisions: 0,
  records: 0,
  replayed: 0,
  violations: [],
  faults: {},
};

export function optionsFor(seed: number, seconds: number, bug: string | null): SimulationOptions {
  const mutant = bug === null ? { rules: RAFT_RULES, bugs: NO_BUGS } : mutantNamed(bug);
  return { seed, seconds, rules: mutant.rules, bugs: mutant.bugs, tell: null };
}

/** @param cpuMs  the processor time that this process has used so far */
export function carryOut(task: Task, cpuMs: () => number): Figures {
  let figures = NO_FIGURES;
  for (let seed = task.firstSeed; seed < task.firstSeed + task.seeds; seed += 1) {
    const before = cpuMs();
    const result = simulate(optionsFor(seed, task.seconds, task.bug));
    figures = sumOfFigures(figures, figuresOf(result, cpuMs() - before));
    if (task.kind === 'hunt' && result.violation !== null) break;
    if (task.kind === 'run' && seed % REPLAYED_EVERY === 0) {
      figures = sumOfFigures(figures, replay(result, task));
    }
  }
  return figures;
}

/** Simulates the seed again: the history must be the same. */
function replay({ seed, traceHash }: SimulationResult, { seconds, bug }: Task): Figures {
  const again = simulate(optionsFor(seed, seconds, bug)).traceHash;
  if (again === traceHash) return { ...NO_FIGURES, replayed: 1 };
  const message = `determinism: trace ${traceHash}, the second time ${again}`;
  return { ...NO_FIGURES, violations: [{ seed, invariant: 'determinism', message }] };
}

export function sumOfFigures(left: Figures, right: Figures): Figures {
  return {
    seeds: left.seeds + right.seeds,
    simulatedMs: left.simulatedMs + right.simulatedMs,
    cpuMs: left.cpuMs + right.cpuMs,
    committedEntries: left.committedEntries + right.committedEntries,
    operations: left.operations + right.operations,
    revisions: left.revisions + right.revisions,
    records: left.records + right.records,
    replayed: left.replayed + right.replayed,
    violations: [...left.violations, ...right.violations],
    faults: sumOfFaults(left.faults, right.faults),
  };
}

function figuresOf(result: SimulationResult, cpuMs: number): Figures {
  const { seed, violation, simulatedMs, committedEntries, operations } = result;
  const { revisions, records, faults } = result;
  const found =
    violation === null
      ? []
      : [{ seed, invariant: violation.invariant, message: violation.message }];
  const counts = { simulatedMs, committedEntries, operations, revisions, records, faults };
  return { seeds: 1, cpuMs, replayed: 0, violations: found, ...counts };
}
