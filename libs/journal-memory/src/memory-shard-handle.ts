/** A message shard as one process sees it. */
import type {
  AppendOptions,
  JournalReader,
  JournalRecord,
  Offset,
  ProducerName,
  RecordBatch,
  RecordSelector,
  SharedShard,
  ShardTail,
} from '@robustmq/journal';
import { MemoryTail } from './memory-tail.ts';
import type { ProcessContext } from './process-context.ts';
import type { RequestKind } from './request-faults.ts';
import { RequestLane } from './request-lane.ts';
import type { SharedMemoryShard } from './shared-memory-shard.ts';

export class MemoryShardHandle implements SharedShard {
  readonly name: string;
  readonly #shard: SharedMemoryShard;
  readonly #context: ProcessContext;
  readonly #appends: RequestLane;

  constructor(shard: SharedMemoryShard, context: ProcessContext) {
    this.name = shard.name;
    this.#shard = shard;
    this.#context = context;
    this.#appends = context.openLane();
  }

  get oldest(): Offset {
    return this.#shard.records.oldest;
  }

  append(batch: RecordBatch, options: AppendOptions): Promise<Offset> {
    const shard = this.#shard;
    const copy = { bytes: new Uint8Array(batch.bytes), recordCount: batch.recordCount };
    return this.#appends.submit({
      label: this.#context.label(this.name, 'append'),
      deadlineMs: options.deadlineMs,
      byteCount: copy.bytes.length,
      apply: () => shard.commit(copy, options.producer),
    });
  }

  committed(deadlineMs: number): Promise<Offset> {
    return this.#ask('committed', deadlineMs, () => this.#shard.records.committed);
  }

  openReader(from: Offset, selector: RecordSelector): JournalReader {
    const reader = this.#shard.records.openReader(from, selector);
    const { deadlineMs } = this.#context;
    let position = from;
    return {
      get position(): Offset {
        return position;
      },
      read: async (recordsMax, bytesMax) => {
        const page = await this.#ask('read', deadlineMs, () => reader.read(recordsMax, bytesMax));
        position = reader.position;
        return page;
      },
    };
  }

  readAt(offset: Offset): Promise<JournalRecord | null> {
    return this.#ask('read', this.#context.deadlineMs, () => this.#shard.records.readAt(offset));
  }

  openTail(from: Offset, selector: RecordSelector): ShardTail {
    return new MemoryTail({ shard: this.#shard, context: this.#context, from, selector });
  }

  offsetAt(atMs: number): Promise<Offset> {
    const { deadlineMs } = this.#context;
    return this.#ask('offset-at', deadlineMs, () => this.#shard.offsetAt(atMs));
  }

  trimBefore(offset: Offset): Promise<void> {
    const { deadlineMs } = this.#context;
    return this.#ask('trim', deadlineMs, () => this.#shard.records.trimBefore(offset));
  }

  fence(producer: ProducerName): Promise<void> {
    const { deadlineMs } = this.#context;
    return this.#ask('fence', deadlineMs, () => this.#shard.fences.fence(producer));
  }

  #ask<Answer>(
    kind: RequestKind,
    deadlineMs: number,
    apply: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    return this.#context.ask({
      label: this.#context.label(this.name, kind),
      deadlineMs,
      byteCount: 0,
      apply,
    });
  }
}
