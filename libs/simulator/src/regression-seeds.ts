/**
 * Seeds that once failed, and why. A seed means a history only together with the code that draws from
 * it: after changes to the simulator it is another one. What it found then stays guarded by a scenario
 * of libs/raft/testdata or by a planted bug; the seed is kept because it costs next to nothing.
 */
export interface RegressionSeed {
  readonly seed: number;
  readonly why: string;
}

export const REGRESSION_SEEDS: readonly RegressionSeed[] = [
  { seed: 71, why: 'a grant told again made the leader keep a lease that had ended' },
  { seed: 892, why: 'a read was answered from a state that a later leader had passed' },
  { seed: 12_983, why: 'the operator removed nodes until none could lead' },
  { seed: 16_918, why: 'a sleeping leader believed in its lease' },
  { seed: 46_692, why: 'the operator switched off nodes that a later leader had invited' },
  { seed: 18, why: 'the only voter of a group was taken for a stranger' },
  { seed: 4_186, why: 'a timer of a dead process went on in its next life and ended a kept lease' },
];
