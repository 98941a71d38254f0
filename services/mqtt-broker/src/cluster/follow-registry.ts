import type { RandomSource, Timers } from '@robustmq/environment';
import { pause, type RegistryBatch, type RegistryWatch } from '@robustmq/placement-registry';
import { Backoff } from '@robustmq/rpc';

/** Where a registry's changes go. */
export interface RegistryFollower<Value> {
  watch(): RegistryWatch<Value>;
  /**
   * @param extent  `whole`: the batch is everything there is, and what it lacks is gone; `changes`: it
   *   follows the one before
   */
  apply(batch: RegistryBatch<Value>, extent: 'whole' | 'changes'): void;
  failed(error: unknown): void;
}

const RETRY = { firstMs: 50, longestMs: 2_000 };

/** Follows a registry until the signal is aborted; after a failure it is read anew. Never rejects. */
export async function followRegistry<Value>(
  follower: RegistryFollower<Value>,
  edges: { readonly timers: Timers; readonly random: RandomSource },
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(RETRY, edges.random);
  while (!signal.aborted) {
    const watch = follower.watch();
    const cancel = (): void => watch.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let extent: 'whole' | 'changes' = 'whole';
    try {
      for await (const batch of watch) {
        if (signal.aborted) return;
        follower.apply(batch, extent);
        extent = 'changes';
        backoff.reset();
      }
    } catch (error) {
      if (signal.aborted) return;
      follower.failed(error);
    } finally {
      signal.removeEventListener('abort', cancel);
      watch.cancel();
    }
    await pause(edges.timers, backoff.nextMs(), signal);
  }
}
