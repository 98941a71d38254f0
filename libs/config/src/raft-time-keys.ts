import type { KeyFault } from './key-fault.ts';
import { integerKey } from './key-kinds.ts';
import type { SectionDeclaration } from './schema.ts';

/** The times of Raft, in milliseconds. */
export interface RaftTimeKeys {
  readonly tick_ms: number;
  readonly election_timeout_ms: number;
  readonly heartbeat_ms: number;
}

/** The same, as the Raft core takes them. */
export interface RaftTimes {
  readonly tickMs: number;
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
}

/** The number of heartbeats that must fit into one election time-out. */
const HEARTBEATS_PER_ELECTION_MIN = 3;

/** @param words  who stands for election, and what a low election time-out does */
export function raftTimeKeys(words: {
  readonly electionMeaning: string;
  readonly electionReason: string;
}): SectionDeclaration<RaftTimeKeys>['keys'] {
  return {
    tick_ms: integerKey({
      default: 50,
      minimum: 10,
      maximum: 1000,
      meaning: 'The clock of Raft: the other times are rounded up to multiples of it.',
      reason: 'Must be well above the pauses of the machine.',
      unit: 'milliseconds',
    }),
    election_timeout_ms: integerKey({
      default: 500,
      minimum: 50,
      maximum: 60_000,
      meaning: words.electionMeaning,
      reason: words.electionReason,
      unit: 'milliseconds',
    }),
    heartbeat_ms: integerKey({
      default: 100,
      minimum: 10,
      maximum: 10_000,
      meaning: 'How often a leader without work shows that it lives.',
      reason: 'A few must fit into election_timeout_ms.',
      unit: 'milliseconds',
    }),
  };
}

export function raftTimeFaults(raft: RaftTimeKeys): readonly KeyFault[] {
  const { election_timeout_ms: election, heartbeat_ms: heartbeat } = raft;
  if (election >= heartbeat * HEARTBEATS_PER_ELECTION_MIN) return [];
  return [
    {
      key: 'raft.election_timeout_ms',
      message: `is ${election}, expected at least ${HEARTBEATS_PER_ELECTION_MIN} times heartbeat_ms (${heartbeat})`,
    },
  ];
}

/** Rounds up to whole ticks, and keeps the proportion that {@link raftTimeFaults} asks for. */
export function raftTimesFrom(raft: RaftTimeKeys): RaftTimes {
  const ticks = (milliseconds: number): number =>
    Math.max(1, Math.ceil(milliseconds / raft.tick_ms));
  const heartbeatTicks = ticks(raft.heartbeat_ms);
  return {
    tickMs: raft.tick_ms,
    electionTimeoutTicks: Math.max(
      ticks(raft.election_timeout_ms),
      HEARTBEATS_PER_ELECTION_MIN * heartbeatTicks,
    ),
    heartbeatTicks,
  };
}
