/** A watch from the first revision on that must see every change once, in order, whatever happens. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Placement, Revision, Watch } from '@robustmq/placement';
import type { LedgerWrite } from './workload.ts';

export class WatchAudit {
  readonly #watch: Watch;
  readonly #seen: Map<string, number> = new Map();
  readonly #done: Promise<void>;
  #lastRevision = 0;
  /** What should never happen, told in full for the first few. */
  readonly faults: string[] = [];
  batches = 0;

  constructor(placement: Placement) {
    const range = { first: 'ledger/', after: 'ledger0' };
    this.#watch = placement.watch({ range, from: 1 as Revision, progressEveryMs: 500 });
    this.#done = this.#follow();
  }

  /** Waits until the watch has come as far as the newest write, then compares. */
  async finish(ledger: readonly LedgerWrite[], limitMs: number): Promise<void> {
    const target = ledger.reduce((newest, { revision }) => Math.max(newest, revision), 0);
    const endMs = performance.now() + limitMs;
    while (this.#lastRevision < target && performance.now() < endMs) {
      await pause(50);
    }
    this.#watch.cancel();
    await this.#done;
    for (const { key, revision } of ledger) {
      const seen = this.#seen.get(key);
      if (seen !== revision) this.#fault(`${key}: acknowledged at ${revision}, seen at ${seen}`);
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const { revision, events } of this.#watch) {
        this.batches += 1;
        for (const event of events) {
          const key = event.kind === 'put' ? event.keyValue.key : event.key;
          const at = event.kind === 'put' ? event.keyValue.modRevision : event.modRevision;
          if (this.#seen.has(key)) this.#fault(`${key} was seen twice`);
          if (at <= this.#lastRevision) this.#fault(`${key}: ${at} after ${this.#lastRevision}`);
          this.#seen.set(key, at);
        }
        if (revision < this.#lastRevision) this.#fault(`went back to ${revision}`);
        this.#lastRevision = revision;
      }
    } catch (error) {
      this.#fault(`the watch ended: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #fault(text: string): void {
    this.faults.push(text);
  }
}
