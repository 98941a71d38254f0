import { bytesKey, choiceKey, integerKey, raftTimeKeys } from '@robustmq/config';
import type { RaftTimeKeys, SectionDeclaration } from '@robustmq/config';

/** `[raft]`. */
export interface RaftSection extends RaftTimeKeys {
  readonly reads: 'quorum' | 'lease';
  readonly log_bytes_max: number;
  readonly log_entries_max: number;
  readonly log_entries_kept: number;
}

export const raftSection: SectionDeclaration<RaftSection> = {
  kind: 'section',
  name: 'raft',
  meaning: 'How the members agree. The same on all of them.',
  keys: {
    ...raftTimeKeys({
      electionMeaning:
        'A follower that hears no leader for this long, and up to half of it more by chance, stands for election.',
      electionReason:
        'Writes pause that long when a leader dies. Below ten times the round trip between members, ' +
        'or below the pauses of a busy machine, leaders are deposed for nothing.',
    }),
    reads: choiceKey({
      default: 'quorum',
      choices: ['quorum', 'lease'],
      meaning:
        '"quorum": a linearizable read waits for a round of heartbeats. "lease": the leader answers at once.',
      reason: '"lease" is wrong when clocks of members run more than 10 % apart.',
    }),
    log_bytes_max: bytesKey({
      default: 64 * 2 ** 20,
      minimum: 2 ** 20,
      maximum: 2 ** 40,
      meaning: 'Applied bytes of the Raft log beyond which a snapshot is taken and the log cut.',
      reason: 'Bounds the disk and the time of a start.',
    }),
    log_entries_max: integerKey({
      default: 100_000,
      minimum: 10,
      maximum: 100_000_000,
      meaning: 'The same, counted in entries.',
      reason: 'Small entries take time too.',
    }),
    log_entries_kept: integerKey({
      default: 10_000,
      minimum: 0,
      maximum: 100_000_000,
      meaning: 'Entries that are kept when the log is cut.',
      reason: 'A member that missed fewer catches up from the log, without a whole snapshot.',
    }),
  },
};
