import type { DataEntry, LogIndex } from '@robustmq/raft';
import type { MachineSnapshot, StateMachine } from '../state-machine.ts';

/** What a machine's own database keeps over a restart. */
export interface ListDisk {
  items: string[];
  appliedIndex: number;
}

export function newListDisk(): ListDisk {
  return { items: [], appliedIndex: 0 };
}

/** Appends each command to a list. Its disk gets what is applied with a flush, or with a snapshot. */
export class ListMachine implements StateMachine<number> {
  readonly #disk: ListDisk;
  items: string[];
  #applied: number;
  readonly appliedIndex: LogIndex;
  isClosed = false;
  /** Waited for before each batch is applied. */
  gate: Promise<void> = Promise.resolve();
  installs = 0;
  snapshots = 0;

  constructor(disk: ListDisk) {
    this.#disk = disk;
    this.items = [...disk.items];
    this.#applied = disk.appliedIndex;
    this.appliedIndex = disk.appliedIndex as LogIndex;
  }

  async apply(entries: readonly DataEntry[], through: LogIndex): Promise<readonly number[]> {
    await this.gate;
    const results = entries.map(({ data }) => this.items.push(new TextDecoder().decode(data)));
    this.#applied = through;
    return results;
  }

  async flush(): Promise<LogIndex> {
    this.#disk.items = [...this.items];
    this.#disk.appliedIndex = this.#applied;
    return this.#applied as LogIndex;
  }

  async openSnapshot(): Promise<MachineSnapshot> {
    this.snapshots += 1;
    const bytes = new TextEncoder().encode(JSON.stringify(this.items));
    return {
      index: this.#applied as LogIndex,
      content: inPieces(bytes, 1000),
      close: async () => undefined,
    };
  }

  async install(index: LogIndex, content: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of content) text += decoder.decode(piece, { stream: true });
    this.items = JSON.parse(text) as string[];
    this.#applied = index;
    this.installs += 1;
    await this.flush();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
