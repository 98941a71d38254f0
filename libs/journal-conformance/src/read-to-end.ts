import type { JournalReader, JournalRecord } from '@robustmq/journal';

/** Reads until nothing is left, in pages of the size given. */
export async function readToEnd(
  reader: JournalReader,
  recordsMax: number,
): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for (;;) {
    const page = await reader.read(recordsMax, 1024 * 1024);
    if (page.length === 0) return records;
    records.push(...page);
  }
}
