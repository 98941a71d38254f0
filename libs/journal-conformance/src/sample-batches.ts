/** Batches for tests, of records that say what they are. */
import { RecordBatchBuilder } from '@robustmq/journal';
import type { JournalRecord, JournalShard, Offset, RecordBatch } from '@robustmq/journal';

export interface SampleRecord {
  readonly kind: number;
  readonly topic: string;
  readonly body: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function sampleBatch(
  records: readonly SampleRecord[],
  baseOffset: Offset,
  appendedAtMs: number,
): RecordBatch {
  const builder = new RecordBatchBuilder();
  for (const record of records) {
    const topic = encoder.encode(record.topic);
    builder.add(record.kind, topic, 0, topic.length, encoder.encode(record.body));
  }
  return builder.seal(baseOffset, appendedAtMs);
}

/** Appends records of kind 1 as one batch. */
export function appendSamples(
  shard: JournalShard,
  topics: readonly string[],
  ack: 'sync' | 'async',
): Promise<Offset> {
  const first = shard.next;
  const records = topics.map((topic, i) => ({ kind: 1, topic, body: `body ${first + i}` }));
  return shard.append(sampleBatch(records, first, 1000 + first), ack);
}

/** `offset topic body` of each record, for comparing. */
export function textOf(record: JournalRecord): string {
  return `${record.offset} ${record.topic} ${decoder.decode(record.body)}`;
}
