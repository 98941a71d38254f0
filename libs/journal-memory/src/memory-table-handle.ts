/** A keyed shard as one process sees it. */
import type { KeyedRecord, KeyedShard, KeyedTail, KeyedWrite } from '@robustmq/journal';
import { MemoryKeyedTail } from './memory-keyed-tail.ts';
import type { MemoryTable } from './memory-table.ts';
import type { ProcessContext } from './process-context.ts';
import type { RequestKind } from './request-faults.ts';
import type { RequestLane } from './request-lane.ts';

export class MemoryTableHandle implements KeyedShard {
  readonly name: string;
  readonly #table: MemoryTable;
  readonly #context: ProcessContext;
  readonly #writes: RequestLane;

  constructor(name: string, table: MemoryTable, context: ProcessContext) {
    this.name = name;
    this.#table = table;
    this.#context = context;
    this.#writes = context.openLane();
  }

  write(writes: readonly KeyedWrite[], deadlineMs: number): Promise<readonly boolean[]> {
    const copies = writes.map(({ key, fence, value }) => {
      return { key, fence, value: value === null ? null : new Uint8Array(value) };
    });
    const byteCount = copies.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    return this.#writes.submit({
      label: this.#context.label(this.name, 'write'),
      deadlineMs,
      byteCount,
      apply: () => this.#table.write(copies),
    });
  }

  claim(
    key: string,
    fence: number,
    deadlineMs: number,
  ): Promise<{ readonly taken: boolean; readonly record: KeyedRecord | null }> {
    return this.#ask('claim', deadlineMs, () => this.#table.claim(key, fence));
  }

  read(key: string, deadlineMs: number): Promise<KeyedRecord | null> {
    return this.#ask('read', deadlineMs, () => this.#table.read(key));
  }

  list(after: string | null, limit: number, deadlineMs: number): Promise<readonly KeyedRecord[]> {
    return this.#ask('list', deadlineMs, () => this.#table.list(after, limit));
  }

  revision(deadlineMs: number): Promise<number> {
    return this.#ask('revision', deadlineMs, () => this.#table.revision);
  }

  openTail(after: number): KeyedTail {
    return new MemoryKeyedTail({
      name: this.name,
      table: this.#table,
      context: this.#context,
      after,
    });
  }

  #ask<Answer>(kind: RequestKind, deadlineMs: number, apply: () => Answer): Promise<Answer> {
    const label = this.#context.label(this.name, kind);
    return this.#context.ask({ label, deadlineMs, byteCount: 0, apply });
  }
}
