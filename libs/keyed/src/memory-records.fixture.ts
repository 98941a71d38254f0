/** Records in memory, for tests. */
import type { KeyedRecords } from './apply-command.ts';
import { expandSnapshotRecord, SNAPSHOT_RECORDS } from './record-layout.ts';

export class MemoryRecords implements KeyedRecords {
  readonly records: Map<string, Uint8Array> = new Map<string, Uint8Array>();

  get(name: string): Uint8Array | undefined {
    return this.records.get(name);
  }

  put(name: string, value: Uint8Array): void {
    this.records.set(name, value);
  }

  delete(name: string): void {
    this.records.delete(name);
  }

  /** What comes of a snapshot of these. */
  copy(): MemoryRecords {
    const copied = new MemoryRecords();
    for (const { first, after } of SNAPSHOT_RECORDS) {
      for (const record of this.records) {
        if (record[0] < first || record[0] >= after) continue;
        for (const [name, value] of expandSnapshotRecord(record)) copied.put(name, value);
      }
    }
    return copied;
  }

  /** All of it, for comparing. */
  text(): readonly string[] {
    return [...this.records].map(([name, value]) => `${name}=${value.join()}`).sort();
  }
}
