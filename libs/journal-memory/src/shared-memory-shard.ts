/** The one copy of a message shard: what is committed, who may append, who waits for more. */
import { BATCH_FIELD, RecordBatchReader, writeUint64 } from '@robustmq/journal';
import type { Offset, ProducerName, RecordBatch } from '@robustmq/journal';
import { GrowthSignal } from './growth-signal.ts';
import type { MemoryBudget } from './memory-journal.ts';
import { MemoryShard } from './memory-shard.ts';
import { ProducerFences } from './producer-fences.ts';

export class SharedMemoryShard {
  readonly name: string;
  readonly records: MemoryShard;
  readonly fences: ProducerFences;
  readonly growth: GrowthSignal = new GrowthSignal();

  constructor(name: string, budget: MemoryBudget) {
    this.name = name;
    this.records = new MemoryShard(name, budget);
    this.fences = new ProducerFences(name);
  }

  /**
   * Commits a batch, whose bytes are the shard's from now on and whose base offset it sets.
   *
   * @throws JournalError JOURNAL_FENCED, JOURNAL_FULL: nothing was written
   */
  commit(batch: RecordBatch, producer: ProducerName): Offset {
    this.fences.admit(producer);
    const first = this.records.next;
    writeUint64(batch.bytes, BATCH_FIELD.baseOffset, first);
    this.records.add(batch);
    this.growth.grown();
    return first;
  }

  offsetAt(atMs: number): Offset {
    const reader = new RecordBatchReader();
    for (const segment of this.records.segments) {
      for (const bytes of segment.batches) {
        reader.open(bytes, 0);
        if (reader.appendedAtMs >= atMs) return reader.baseOffset as Offset;
      }
    }
    return this.records.next;
  }
}
