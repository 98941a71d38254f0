import { describeSharedJournal } from '@robustmq/journal-conformance';
import type { SharedJournalUnderTest } from '@robustmq/journal-conformance';
import { openSharedMemory } from './shared-memory.ts';

describeSharedJournal(
  'memory',
  async (): Promise<SharedJournalUnderTest> => {
    const memory = openSharedMemory({ segmentBytesMax: 1000 });
    const kinds = ['append', 'write'] as const;
    return {
      connect: async (process) => memory.connect(process),
      createShard: async () => undefined,
      createTable: async () => undefined,
      loseAnswers: (process, times) => memory.faults.loseAnswers({ process, kinds }, times),
      holdWrites: (process) => memory.faults.hold({ process, kinds }),
      close: async () => undefined,
    };
  },
  { messages: true, keyed: true, losesAnswers: true, holdsWrites: true },
);
