import { JournalError, type Offset } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type { Publication } from '../cluster/contract.ts';
import { originOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import type { MessageShards } from './message-shards.ts';

const READ_RECORDS_MAX = 256;
const READ_BYTES_MAX = 256 * 1024;
const BEHIND_MS = 10;
const UTF8 = new TextEncoder();

/** What stands where a record says who published it: no client identifier is like it. */
export function originNameOf(name: string): Uint8Array {
  return UTF8.encode(`\u0000\u0000${name}`);
}

/**
 * Whether the topic's shard has a message of that name. One that was trimmed meanwhile counts as none.
 *
 * @throws JournalError JOURNAL_UNAVAILABLE
 */
export async function isPublished(
  { clock, timers }: BrokerContext,
  shards: MessageShards,
  question: { readonly publication: Publication; readonly deadlineMs: number },
): Promise<boolean> {
  const { publication, deadlineMs } = question;
  const { name, topic, from } = publication;
  const shard = shards.at(shards.shardOfName(topic));
  const end = await shard.committed(deadlineMs);
  const lateMs = clock.monotonicMs() + deadlineMs;
  const origin = originNameOf(name);
  const first = Math.max(from, shard.oldest) as Offset;
  if (first >= end) return false;
  const reader = shard.openReader(first, { kind: 'topics', exact: [topic], matches: null });
  while (reader.position < end) {
    if (clock.monotonicMs() > lateMs) {
      const detail = `what was published to ${topic} is not read after ${deadlineMs} ms`;
      throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: shard.name, detail });
    }
    const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
    for (const { kind, body } of records) {
      const clientId = kind === RECORD_KIND.message ? originOf(body)?.clientId : undefined;
      if (clientId !== undefined && Buffer.compare(clientId, origin) === 0) return true;
    }
    if (records.length === 0) await waitMs(timers, BEHIND_MS);
  }
  return false;
}
