import { type RaftTimeKeys, raftTimeKeys } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';

/** `[raft]`. */
export type RaftSection = RaftTimeKeys;

export const raftSection: SectionDeclaration<RaftSection> = {
  kind: 'section',
  name: 'raft',
  meaning: 'How the replicas of a shard agree. The same on all journal servers.',
  keys: raftTimeKeys({
    electionMeaning:
      'A replica that hears no leader for this long, and a random part of it more, stands for election.',
    electionReason:
      'Appends pause that long when a leader dies. Below the pauses of a busy machine leaders are deposed for nothing.',
  }),
};
