import {
  JournalError,
  type JournalFault,
  type KeyedShard,
  type Offset,
  type SharedShard,
} from '@robustmq/journal';
import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import { type RecordFlags, shardNameFrom, shardText } from './engine-flags.ts';
import { knownShard, withJournal } from './with-journal.ts';

const RECORDS_PER_READ = 1_000;
const BYTES_PER_READ = 1 << 20;

/** What was read, and what could not be. */
interface Verified {
  records: number;
  bytes: number;
  readonly damages: Damage[];
}

type Damage = Extract<JournalFault, { readonly code: 'JOURNAL_RECORD_CORRUPT' }>;

/** `engine verify SHARD`: reads everything once; the servers check each checksum. */
export function runVerify(text: string, flags: RecordFlags): Promise<void> {
  const name = shardNameFrom(text);
  return withJournal(flags, name.namespace, async (used) => {
    const { kind } = await knownShard(used, name);
    const verified: Verified = { records: 0, bytes: 0, damages: [] };
    if (kind === 'messages') {
      await readMessages(await used.journal.openShard(name.shard), flags, verified);
    } else {
      await readKeys(await used.journal.openTable(name.shard), flags, verified);
    }
    const { records, bytes, damages } = verified;
    if (flags.output === 'json') print(JSON.stringify({ ...name, records, bytes, damages }));
    else print(`${shardText(name)}: ${records} records, ${bytes} bytes`);
    for (const { first, after, file, position } of damages) {
      if (flags.output !== 'json') {
        print(`damaged: records ${first} to ${after - 1}, ${file} at byte ${position}`);
      }
    }
    if (damages.length === 0) return;
    throw new CommandError(
      ExitCode.failed,
      `${shardText(name)} is damaged in ${damages.length} places`,
    );
  });
}

async function readMessages(
  shard: SharedShard,
  flags: RecordFlags,
  verified: Verified,
): Promise<void> {
  const end = await shard.committed(flags.timeout * 1000);
  let from = Math.max(flags.from, shard.oldest) as Offset;
  while (from < end) {
    const reader = shard.openReader(from, { kind: 'everything' });
    try {
      for (;;) {
        const records = await reader.read(RECORDS_PER_READ, BYTES_PER_READ);
        if (records.length === 0) return;
        verified.records += records.length;
        for (const { body } of records) verified.bytes += body.length;
      }
    } catch (error) {
      const damage = damageIn(error);
      verified.damages.push(damage);
      from = damage.after;
    }
  }
}

function damageIn(error: unknown): Damage {
  if (error instanceof JournalError && error.fault.code === 'JOURNAL_RECORD_CORRUPT') {
    return error.fault;
  }
  throw error;
}

async function readKeys(table: KeyedShard, flags: RecordFlags, verified: Verified): Promise<void> {
  let after: string | null = null;
  do {
    const page = await table.list(after, RECORDS_PER_READ, flags.timeout * 1000);
    verified.records += page.length;
    for (const { value } of page) verified.bytes += value.length;
    after = page.at(-1)?.key ?? null;
  } while (after !== null);
}
