import type { CampaignResult } from '../run-campaigns.ts';
import { connectStorm } from './connect-storm.ts';
import type { WithTarget } from './overload-target.ts';
import { stalledReaders } from './stalled-readers.ts';
import { twiceTheCapacity } from './twice-the-capacity.ts';

const HEAP_MEGABYTES = 512;

/** How long. */
export interface OverloadOptions {
  readonly stalledSeconds: number;
  readonly overloadSeconds: number;
  readonly connects: number;
  /** Hears of every scene as it begins. */
  readonly tell: (progress: string) => void;
}

/**
 * Rung R7, more than a broker or a cluster can do: a reader that stops, publishers at twice the capacity
 * in a small heap, and ten thousand clients that connect at once. Bystanders measure what it does to others.
 */
export async function runOverload(
  withTarget: WithTarget,
  { stalledSeconds, overloadSeconds, connects, tell }: OverloadOptions,
): Promise<CampaignResult> {
  tell('readers that stop');
  const stalled = await withTarget([], (target) => stalledReaders(target, stalledSeconds));
  tell('twice the capacity');
  const heap = [`--max-old-space-size=${HEAP_MEGABYTES}`];
  const twice = await withTarget(heap, (target) => twiceTheCapacity(target, overloadSeconds));
  tell(`${connects} clients at once`);
  const storm = await withTarget([], (target) => connectStorm(target, connects));
  return { figures: [...stalled, ...twice, ...storm], examples: [] };
}
