/** What the handles of one process share, and what ends with it. */
import { JournalError } from '@robustmq/journal';
import type { RequestKind, RequestLabel } from './request-faults.ts';
import { RequestLane } from './request-lane.ts';
import type { Network, Request } from './request-lane.ts';

export class ProcessContext {
  readonly deadlineMs: number;
  readonly #process: string;
  readonly #network: Network;
  readonly #open = new Set<{ close(): void }>();
  #closed = false;

  constructor(process: string, network: Network, deadlineMs: number) {
    this.#process = process;
    this.#network = network;
    this.deadlineMs = deadlineMs;
  }

  label(shard: string, kind: RequestKind): RequestLabel {
    return { process: this.#process, shard, kind };
  }

  /** @throws JournalError JOURNAL_CLOSED */
  assertOpen(): void {
    if (this.#closed) throw new JournalError({ code: 'JOURNAL_CLOSED' });
  }

  /** A lane that ends with the process. */
  openLane(): RequestLane {
    const lane = new RequestLane(this.#network);
    this.add(lane);
    return lane;
  }

  /** Sends one request that no other is in order with. */
  async ask<Answer>(request: Request<Answer>): Promise<Answer> {
    const lane = this.openLane();
    try {
      return await lane.submit(request);
    } finally {
      this.forget(lane);
    }
  }

  /** Has something closed with the process, at once when that is over. */
  add(open: { close(): void }): void {
    if (this.#closed) open.close();
    else this.#open.add(open);
  }

  forget(open: { close(): void }): void {
    this.#open.delete(open);
  }

  close(): void {
    this.#closed = true;
    for (const open of [...this.#open]) open.close();
    this.#open.clear();
  }
}
