export { type BugSwitches, NO_BUGS } from './bugs.ts';
export type { Operation, Value } from './command.ts';
export {
  checkLinearizable,
  type LinearizabilityVerdict,
  type RecordedOperation,
} from './linearizability.ts';
export { SeededRandom } from './random.ts';
export {
  type SimulationOptions,
  type SimulationResult,
  simulate,
  simulationOf,
} from './simulation.ts';
export { type Invariant, Violation } from './violation.ts';
