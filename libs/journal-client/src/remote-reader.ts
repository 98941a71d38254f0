import type { JournalReader, JournalRecord, Offset, RecordSelector } from '@robustmq/journal';
import { type SplitSelector, splitSelector } from './selectors.ts';

/** One page of records from a server. */
export interface ReadPage {
  readonly records: readonly JournalRecord[];
  readonly position: Offset;
}

/** Reads pages until it has something or is at the end. */
export class RemoteReader implements JournalReader {
  position: Offset;
  readonly #selector: SplitSelector;
  readonly #read: (request: ReadRequest) => Promise<ReadPage>;

  /** @param read  one page, from any server that has it */
  constructor(
    from: Offset,
    selector: RecordSelector,
    read: (request: ReadRequest) => Promise<ReadPage>,
  ) {
    this.position = from;
    this.#selector = splitSelector(selector);
    this.#read = read;
  }

  async read(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    const { wire, wants } = this.#selector;
    for (;;) {
      const from = this.position;
      const page = await this.#read({ from, selector: wire, recordsMax, bytesMax });
      this.position = page.position;
      if (page.records.length === 0 || wants === null) return page.records;
      const wanted = page.records.filter(wants);
      if (wanted.length > 0) return wanted;
    }
  }
}

/** What a page is asked for by. */
export interface ReadRequest {
  readonly from: Offset;
  readonly selector: SplitSelector['wire'];
  readonly recordsMax: number;
  readonly bytesMax: number;
}
