import { type KeyedShard, type Offset, type SharedShard } from '@robustmq/journal';
import { print } from '../output.ts';
import { note } from '../output.ts';
import { type RecordFlags, shardNameFrom } from './engine-flags.ts';
import { keyedText, recordText } from './record-text.ts';
import { knownShard, withJournal } from './with-journal.ts';

const RECORDS_PER_READ = 500;
const BYTES_PER_READ = 1 << 20;

/** `engine dump SHARD`: the records of a shard of a running cluster. */
export function runDump(text: string, flags: RecordFlags): Promise<void> {
  const name = shardNameFrom(text);
  return withJournal(flags, name.namespace, async (used) => {
    const { kind } = await knownShard(used, name);
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    if (kind === 'messages') {
      await dumpMessages(await used.journal.openShard(name.shard), flags, limit);
    } else {
      await dumpKeys(await used.journal.openTable(name.shard), flags, limit);
    }
  });
}

async function dumpMessages(shard: SharedShard, flags: RecordFlags, limit: number): Promise<void> {
  await shard.committed(flags.timeout * 1000);
  const from = Math.max(flags.from, shard.oldest) as Offset;
  if (from > flags.from) note(`records below ${from} are trimmed`);
  const reader = shard.openReader(from, { kind: 'everything' });
  for (let left = limit; left > 0; ) {
    const records = await reader.read(Math.min(RECORDS_PER_READ, left), BYTES_PER_READ);
    if (records.length === 0) return;
    for (const record of records) print(recordText(record, flags.output));
    left -= records.length;
  }
}

async function dumpKeys(table: KeyedShard, flags: RecordFlags, limit: number): Promise<void> {
  let after: string | null = null;
  for (let left = limit; left > 0; ) {
    const page = await table.list(after, Math.min(RECORDS_PER_READ, left), flags.timeout * 1000);
    for (const record of page) print(keyedText(record, flags.output));
    after = page.at(-1)?.key ?? null;
    if (after === null) return;
    left -= page.length;
  }
}
