/** What one seed is like: drawn once, so that some seeds are stormy in one way and calm in others. */
import { defaultRaftOptions, leaseTicksFor, type RaftOptions } from '@robustmq/raft';
import type { SeededRandom } from './random.ts';

export interface NetworkProfile {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMinMs: number;
  /** Of most messages; a `lateShare` of them takes up to 500 ms. */
  readonly delayMaxMs: number;
  readonly lateShare: number;
}

export interface DiskProfile {
  readonly flushMinMs: number;
  readonly flushMaxMs: number;
  /** The share of flushes that takes up to 2 s. */
  readonly slowShare: number;
}

export interface Profile {
  readonly nodes: number;
  readonly clients: number;
  readonly keys: number;
  readonly thinkMs: number;
  readonly tickMs: number;
  readonly options: RaftOptions;
  readonly network: NetworkProfile;
  readonly disk: DiskProfile;
  /** Clocks run up to this share fast or slow. */
  readonly clockSkew: number;
  readonly clockJumps: boolean;
  /** Mean time between faults. */
  readonly faultEveryMs: number;
  /** The share of faults that helps a follower depose a healthy leader behind its back. */
  readonly usurpations: number;
  /** The share of faults that is aimed at the leader. */
  readonly leaderShare: number;
  /** The share of elected leaders that crashes within moments (Raft Figure 8). */
  readonly newLeaderCrashes: number;
  /** How long a crashed node stays down at most. */
  readonly restartMaxMs: number;
  /** Mean time between membership changes and transfers; 0 for none. */
  readonly changeEveryMs: number;
  /** Applied entries after which a node takes a snapshot. */
  readonly snapshotEvery: number;
  /** The share of restarts after which a node runs another release: other limits and pace. */
  readonly otherReleases: number;
  /** Entries kept before the snapshot for followers that lag. */
  readonly compactionSlack: number;
}

/** How the faults of a seed are biased, so that rare sequences are not left to luck alone. */
type Mood = 'mixed' | 'restlessLeaders' | 'busyOperator' | 'leases';

export function drawProfile(random: SeededRandom): Profile {
  const mood = drawMood(random);
  const electionTimeoutTicks = mood === 'restlessLeaders' ? 3 : random.pick([3, 5, 10]);
  const isLease = mood === 'leases';
  const isRestless = mood === 'restlessLeaders';
  const isBusy = mood === 'busyOperator';
  return {
    nodes: isLease ? 3 : isRestless ? 5 : random.pick([1, 3, 3, 3, 3, 5, 5]),
    clients: isLease ? 6 : random.between(2, 6),
    keys: isLease ? 1 : random.between(1, 4),
    thinkMs: isLease ? 15 : random.pick([15, 60, 250]),
    tickMs: 100,
    options: drawOptions(random, mood, electionTimeoutTicks),
    network: {
      loss: random.pick([0, 0.01, 0.05]),
      duplication: random.pick([0, 0.02]),
      delayMinMs: 1,
      delayMaxMs: isLease ? 10 : isRestless ? 30 : random.pick([5, 20, 100, 500]),
      lateShare: random.pick([0, 0.02, 0.1]),
    },
    disk: {
      flushMinMs: 1,
      flushMaxMs: isLease || isRestless ? 2 : random.pick([2, 10, 50]),
      slowShare: random.pick([0, 0.002, 0.02]),
    },
    clockSkew: random.pick([0, 0.1]),
    clockJumps: !isLease && random.chance(0.3), // A lease trusts the rate of clocks.
    faultEveryMs: isBusy ? 400 : isRestless ? 3_000 : random.pick([300, 1_000, 4_000]),
    usurpations: isLease ? 0.6 : 0.05,
    leaderShare: isLease ? 0.9 : random.pick([0, 0.5, 0.9]),
    newLeaderCrashes: isRestless ? 0.9 : random.pick([0, 0, 0.3]),
    restartMaxMs: isRestless ? 1_000 : random.pick([300, 1_500, 4_000]),
    changeEveryMs: drawChangeEveryMs(random, mood),
    otherReleases: random.pick([0, 0.3]),
    snapshotEvery: random.pick([10, 40, 200]),
    compactionSlack: random.pick([0, 5, 50]),
  };
}

function drawMood(random: SeededRandom): Mood {
  const draw = random.fraction();
  if (draw < 0.18) return 'restlessLeaders';
  if (draw < 0.28) return 'busyOperator';
  return draw < 0.48 ? 'leases' : 'mixed';
}

function drawChangeEveryMs(random: SeededRandom, mood: Mood): number {
  if (mood === 'restlessLeaders') return 0;
  if (mood === 'leases') return random.pick([0, 4_000]);
  return mood === 'busyOperator' ? 100 : random.pick([0, 400, 1_500, 4_000]);
}

function drawOptions(random: SeededRandom, mood: Mood, electionTimeoutTicks: number): RaftOptions {
  const isRestless = mood === 'restlessLeaders';
  const options: RaftOptions = {
    ...defaultRaftOptions,
    electionTimeoutTicks,
    heartbeatTicks: electionTimeoutTicks === 10 ? 2 : 1,
    reads: mood === 'leases' ? 'lease' : 'quorum',
    leaseTicks: leaseTicksFor(electionTimeoutTicks),
    quiesceAfterTicks: random.chance(0.2) ? 3 : 0,
  };
  const drawn = ofAnotherRelease(random, options);
  // One entry a message: a new leader dies between its predecessors' entries and its own.
  return isRestless ? { ...drawn, inflightMessagesMax: 1, appendBytesMax: 1 } : drawn;
}

/** What may differ between the releases that run in one group. The group agrees on the rest. */
export function ofAnotherRelease(random: SeededRandom, options: RaftOptions): RaftOptions {
  return {
    ...options,
    inflightMessagesMax: random.pick([1, 4, 64]),
    inflightBytesMax: random.pick([200, 1 << 20]),
    appendBytesMax: random.pick([140, 800, 1 << 16]),
    snapshotChunkBytesMax: random.pick([300, 2_000, 1 << 16]),
    windowBytesMax: random.pick([0, 1_500, 1 << 20]),
  };
}
