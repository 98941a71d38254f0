import type { NodeId, RaftRules } from '@robustmq/raft';
import type { BugSwitches } from './bugs.ts';
import type { Checkers } from './checkers.ts';
import type { EventQueue } from './event-queue.ts';
import type { FaultTally } from './fault-tally.ts';
import type { Network } from './network.ts';
import type { SimulatedNode } from './node.ts';
import type { Profile } from './profile.ts';
import type { SeededRandom } from './random.ts';
import type { TraceHash } from './trace.ts';
import type { SimulatedWatcher } from './watcher.ts';

/** Everything the parts of one simulation share. */
export interface World {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly network: Network;
  readonly checkers: Checkers;
  readonly profile: Profile;
  readonly bugs: BugSwitches;
  readonly rules: RaftRules;
  readonly trace: TraceHash;
  /** Every node there ever was. */
  readonly nodes: Map<NodeId, SimulatedNode>;
  readonly tally: FaultTally;
  readonly watchers: SimulatedWatcher[];
  /** Text of what happens, for a person who replays a seed; null to save the time. */
  readonly tell: ((text: string) => void) | null;
  /** Faults are over: disks and clocks behave. */
  healed: boolean;
}
