import { JournalError, type SharedJournal, type SharedShard } from '@robustmq/journal';
import { expect, test } from 'vitest';
import { Cluster } from './cluster.fixture.ts';
import { openReplicatedPath } from './replicated-storage.ts';

/** Counts the tails of message shards that are open. */
class CountedTails {
  open = 0;
  opened = 0;

  seen(journal: SharedJournal): SharedJournal {
    const inner = journal.openShard.bind(journal);
    journal.openShard = async (name) => this.#counted(await inner(name));
    return journal;
  }

  #counted(shard: SharedShard): SharedShard {
    const inner = shard.openTail.bind(shard);
    shard.openTail = (from, selector) => {
      const tail = inner(from, selector);
      const close = tail.close.bind(tail);
      this.open += 1;
      this.opened += 1;
      tail.close = () => {
        tail.close = close;
        this.open -= 1;
        close();
      };
      return tail;
    };
    return shard;
  }
}

test('a path that cannot be opened leaves no feed that would bring every record once more', async () => {
  const cluster = new Cluster();
  const { context } = await cluster.start('one', 1);
  const tails = new CountedTails();
  const journal = tails.seen(cluster.memory.connect('again'));
  const openTable = journal.openTable.bind(journal);
  journal.openTable = async (name) => {
    const table = await openTable(name);
    const detail = 'the test says so';
    table.revision = async () => {
      throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: name, detail });
    };
    return table;
  };
  const counts = { messages: 3, sessions: 2, retained: 2 };
  const producer = { id: 1, incarnation: 9 };
  await expect(openReplicatedPath(context, { journal, producer, counts })).rejects.toThrow(
    'the test says so',
  );
  expect([tails.opened, tails.open]).toEqual([3, 0]);
  await cluster.end();
});
