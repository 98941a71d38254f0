/**
 * Shards and tables that several processes of one test share, with faults between them and it.
 *
 * Sequences of producers, leaders and replicas are not seen: the one copy is always right, and what
 * is interesting happens on the way to it.
 */
import type { Timers } from '@robustmq/environment';
import { systemTimers } from '@robustmq/environment';
import type { KeyedShard, SharedJournal, SharedShard } from '@robustmq/journal';
import type { MemoryBudget } from './memory-journal.ts';
import { MemoryTable } from './memory-table.ts';
import { MemoryTableHandle } from './memory-table-handle.ts';
import { ProcessContext } from './process-context.ts';
import { RequestFaults } from './request-faults.ts';
import type { MemoryFaults } from './request-faults.ts';
import type { Network } from './request-lane.ts';
import { MemoryShardHandle } from './memory-shard-handle.ts';
import { SharedMemoryShard } from './shared-memory-shard.ts';

export interface SharedMemoryOptions {
  /**
   * Sum over all shards and tables above which appends and writes fail with JOURNAL_FULL; as much
   * again may be on its way.
   */
  readonly bytesMax: number;
  /** A segment that reached this size is sealed; trimming frees whole segments. */
  readonly segmentBytesMax: number;
  /** How many removals a table keeps the fence and the revision of. */
  readonly removalsMax: number;
  /** For calls that name no deadline. */
  readonly deadlineMs: number;
  readonly timers: Timers;
}

/** LIMIT: bytes and removals in memory, unless the caller says otherwise. */
const DEFAULT_SHARED_OPTIONS: SharedMemoryOptions = {
  bytesMax: 256 * 1024 * 1024,
  segmentBytesMax: 4 * 1024 * 1024,
  removalsMax: 100_000,
  deadlineMs: 10_000,
  timers: systemTimers,
};

export interface SharedMemory {
  /**
   * The journal as one more process sees it. Names may repeat: a process that starts again. Shards
   * and tables come to be when they are first opened.
   */
  connect(process: string): SharedJournal;
  readonly faults: MemoryFaults;
}

export function openSharedMemory(options: Partial<SharedMemoryOptions> = {}): SharedMemory {
  return new SharedMemoryContent({ ...DEFAULT_SHARED_OPTIONS, ...options });
}

class SharedMemoryContent implements SharedMemory {
  readonly faults = new RequestFaults();
  readonly #options: SharedMemoryOptions;
  readonly #budget: MemoryBudget;
  readonly #network: Network;
  readonly #shards = new Map<string, SharedMemoryShard>();
  readonly #tables = new Map<string, MemoryTable>();

  constructor(options: SharedMemoryOptions) {
    this.#options = options;
    const { bytesMax, segmentBytesMax, timers } = options;
    this.#budget = { bytesMax, segmentBytesMax, bytes: 0 };
    this.#network = { timers, faults: this.faults, bytesMax, bytes: 0 };
  }

  connect(process: string): SharedJournal {
    const { deadlineMs } = this.#options;
    return new ProcessJournal(this, new ProcessContext(process, this.#network, deadlineMs));
  }

  shardOf(name: string): SharedMemoryShard {
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      shard = new SharedMemoryShard(name, this.#budget);
      this.#shards.set(name, shard);
    }
    return shard;
  }

  tableOf(name: string): MemoryTable {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new MemoryTable(this.#budget, this.#options.removalsMax);
      this.#tables.set(name, table);
    }
    return table;
  }
}

class ProcessJournal implements SharedJournal {
  readonly #content: SharedMemoryContent;
  readonly #context: ProcessContext;

  constructor(content: SharedMemoryContent, context: ProcessContext) {
    this.#content = content;
    this.#context = context;
  }

  async openShard(name: string): Promise<SharedShard> {
    this.#context.assertOpen();
    return new MemoryShardHandle(this.#content.shardOf(name), this.#context);
  }

  async openTable(name: string): Promise<KeyedShard> {
    this.#context.assertOpen();
    return new MemoryTableHandle(name, this.#content.tableOf(name), this.#context);
  }

  async close(): Promise<void> {
    this.#context.close();
  }
}
