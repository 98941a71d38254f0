import { openMemoryJournal } from '@robustmq/journal-memory';
import type { JournalShard } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import type { Checkpointer } from './checkpoint.ts';

/** The journal and the checkpoints of one node. */
export interface OpenedStorage {
  readonly checkpointer: Checkpointer | null;
  readonly shard: JournalShard;
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

export async function openStorage(
  _context: BrokerContext,
  opened: (shard: JournalShard) => void,
): Promise<OpenedStorage> {
  const journal = openMemoryJournal({ bytesMax: 1 << 30, segmentBytesMax: 4 << 20 });
  const shard = await journal.openShard('messages');
  opened(shard);
  return { checkpointer: null, shard, freeBytes: async () => Number.MAX_VALUE, close: () => journal.close() };
}
