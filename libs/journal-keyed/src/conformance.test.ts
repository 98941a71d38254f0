import { describeSharedJournal } from '@robustmq/journal-conformance';
import { KeyedCluster } from './cluster.fixture.ts';
import { InProcessTables } from './in-process-tables.fixture.ts';
import type { KeyedReplica } from './keyed-replica.ts';

describeSharedJournal(
  'three replicas',
  async () => {
    const cluster = await KeyedCluster.found(3);
    const tables = new Map<string, readonly KeyedReplica[]>();
    let processes = 0;
    return {
      connect: async () => {
        processes += 1;
        return new InProcessTables(tables, processes % 3);
      },
      createShard: () => Promise.reject(new Error('there are no message shards here')),
      createTable: async (name) => {
        tables.set(name, await cluster.openTable(100 + tables.size));
      },
      close: () => cluster.close(),
    };
  },
  { messages: false, keyed: true, losesAnswers: false, holdsWrites: false },
);
