export { type BugSwitches, NO_BUGS } from './bugs.ts';
export type { Key, Operation, RecordedOperation, Value } from './history.ts';
export {
  type HistoryLine,
  HistoryFormatError,
  readHistory,
  type ReadHistory,
} from './history-file.ts';
export { checkHistory, checkHistoryText, type HistoryVerdict } from './history-verdict.ts';
export {
  checkLinearizable,
  type LinearizabilityVerdict,
  type NotLinearizable,
} from './linearizability.ts';
export { EventQueue } from './event-queue.ts';
export { type FaultCounts, type FaultKind } from './fault-tally.ts';
export { SeededRandom } from './random.ts';
export {
  type SimulationOptions,
  type SimulationResult,
  simulate,
  simulationOf,
} from './simulation.ts';
export { textHash, TraceHash, bytesHash } from './trace.ts';
export { type Invariant, Violation } from './violation.ts';
