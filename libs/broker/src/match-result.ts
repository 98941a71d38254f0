import type { SharedGroup } from './shared-group.ts';
import type { Delivery } from './subscription.ts';

/** Who gets the messages of one topic. Made by the router, cached in the topic, never changed. */
export interface MatchResult {
  /** Subscribers that take every message at once, and durable ones that asked for QoS 0. */
  readonly live: readonly Delivery[];
  /** Durable subscribers of QoS 1 or 2: through the journal, unless the message is QoS 0. */
  readonly durable: readonly Delivery[];
  /** Each group gets the message once. */
  readonly shared: readonly SharedGroup[];
  /** True when some shared group has a durable member. */
  readonly sharedDurable: boolean;
}
