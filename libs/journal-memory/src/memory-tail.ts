/** Records of a shard in memory as they are committed. */
import type {
  JournalReader,
  JournalRecord,
  Offset,
  RecordSelector,
  ShardTail,
} from '@robustmq/journal';
import type { ProcessContext } from './process-context.ts';
import type { RequestLane } from './request-lane.ts';
import type { SharedMemoryShard } from './shared-memory-shard.ts';
import { WaitingCall } from './waiting-call.ts';

export class MemoryTail implements ShardTail {
  readonly #shard: SharedMemoryShard;
  readonly #context: ProcessContext;
  readonly #reader: JournalReader;
  readonly #lane: RequestLane;
  readonly #call = new WaitingCall();
  #position: Offset;
  /** Stops the wait for growth. */
  #stopWaiting: (() => void) | null = null;

  constructor(place: {
    readonly shard: SharedMemoryShard;
    readonly context: ProcessContext;
    readonly from: Offset;
    readonly selector: RecordSelector;
  }) {
    this.#shard = place.shard;
    this.#context = place.context;
    this.#position = place.from;
    this.#reader = place.shard.records.openReader(place.from, place.selector);
    this.#lane = place.context.openLane();
    place.context.add(this);
  }

  get position(): Offset {
    return this.#position;
  }

  next(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    return this.#call.run(() => this.#wait(recordsMax, bytesMax));
  }

  close(): void {
    this.#call.close();
    this.#lane.close();
    this.#context.forget(this.#lane);
    this.#context.forget(this);
    this.#stopWaiting?.();
  }

  async #wait(recordsMax: number, bytesMax: number): Promise<readonly JournalRecord[]> {
    for (;;) {
      const records = await this.#lane.submit({
        label: this.#context.label(this.#shard.name, 'tail'),
        deadlineMs: null,
        byteCount: 0,
        apply: () => this.#reader.read(recordsMax, bytesMax),
      });
      const moved = this.#reader.position > this.#position;
      this.#position = this.#reader.position;
      if (records.length > 0 || moved || this.#call.closed) return records;
      await this.#growth();
    }
  }

  #growth(): Promise<void> {
    const { growth, records } = this.#shard;
    if (records.committed > this.position) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopWaiting = () => {
        growth.forget(resolve);
        resolve();
      };
      growth.wait(resolve);
    });
  }
}
