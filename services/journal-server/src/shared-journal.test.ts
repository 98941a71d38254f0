import { describeSharedJournal } from '@robustmq/journal-conformance';
import { TestServers } from './testing/test-servers.ts';

describeSharedJournal(
  'three journal servers',
  async () => {
    const servers = await TestServers.start([1, 2, 3]);
    return {
      connect: async () => servers.connect(),
      createShard: (name) => servers.createShard(name, 'messages'),
      createTable: (name) => servers.createShard(name, 'keyed'),
      close: () => servers.close(),
    };
  },
  // Answers are lost and writes are held in the tests of the client, where a test can say which.
  { messages: true, keyed: true, losesAnswers: false, holdsWrites: false },
);
