import { integerKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[raft]`. */
export interface RaftSection {
  readonly tick_ms: number;
  readonly election_timeout_ms: number;
  readonly heartbeat_ms: number;
}

export const raftSection: SectionDeclaration<RaftSection> = {
  kind: 'section',
  name: 'raft',
  meaning: 'How the replicas of a shard agree. The same on all journal servers.',
  keys: {
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
      meaning:
        'A replica that hears no leader for this long, and a random part of it more, stands for election.',
      reason:
        'Appends pause that long when a leader dies. Below the pauses of a busy machine leaders are deposed for nothing.',
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
  },
};
