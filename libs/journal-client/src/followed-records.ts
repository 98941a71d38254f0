import { Backoff } from '@robustmq/rpc';
import { pause, type RegistryWatch, WatchedRecords } from '@robustmq/placement-registry';
import type { ClientEnvironment } from './client-environment.ts';

const RETRY = { firstMs: 50, longestMs: 2_000 };

/** The records of a registry, followed for as long as they are needed: what was known last stays known. */
export class FollowedRecords<Value> {
  readonly #watch: () => RegistryWatch<Value>;
  readonly #onChange: () => void;
  readonly #closing = new AbortController();
  #shown: WatchedRecords<Value> | null = null;
  #followed: WatchedRecords<Value> | null = null;

  /** @param onChange  after each change; must not throw */
  constructor(watch: () => RegistryWatch<Value>, onChange: () => void) {
    this.#watch = watch;
    this.#onChange = onChange;
  }

  /** Runs until `close`; while the placement center is not available it asks again. Never rejects. */
  async follow({ timers, random }: Pick<ClientEnvironment, 'timers' | 'random'>): Promise<void> {
    const backoff = new Backoff(RETRY, random);
    while (!this.#closing.signal.aborted) {
      const records = new WatchedRecords(this.#watch());
      this.#followed = records;
      try {
        await records.follow(() => {
          backoff.reset();
          this.#shown = records;
          this.#onChange();
        });
      } catch {
        // Whatever it was: what is known stays, and the next watch begins with a whole list.
      }
      records.cancel();
      await pause(timers, backoff.nextMs(), this.#closing.signal);
    }
  }

  /** null: there is none, or nothing is known yet. */
  get(names: readonly string[]): Value | null {
    return this.#shown?.get(names) ?? null;
  }

  values(): readonly Value[] {
    return this.#shown?.values() ?? [];
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#followed?.cancel();
  }
}
