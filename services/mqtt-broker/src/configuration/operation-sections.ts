import { booleanKey, choiceKey, integerKey } from '@robustmq/config';
import type { SectionDeclaration } from '@robustmq/config';
import type { SharedSubscriptionStrategy } from '../settings.ts';

/** `[subscribe]`. */
export interface SubscribeSection {
  readonly shared_subscription_strategy: SharedSubscriptionStrategy;
}

export const subscribeSection: SectionDeclaration<SubscribeSection> = {
  kind: 'section',
  name: 'subscribe',
  meaning: 'Shared subscriptions.',
  keys: {
    shared_subscription_strategy: choiceKey({
      default: 'round_robin',
      choices: ['round_robin', 'random', 'sticky', 'hash_client', 'hash_topic', 'least_inflight'],
      spellings: { hash: 'hash_client' },
      meaning: 'How a message chooses the member of a group ($share/{group}/{filter}).',
      reason: 'Even shares without state. "hash_topic" keeps the messages of a topic in order.',
    }),
  },
};

/** `[system]`. */
export interface SystemSection {
  readonly sys_topics: boolean;
  readonly sys_topics_interval_seconds: number;
  readonly drain_timeout_ms: number;
  readonly warm_up_ms: number;
}

export const systemSection: SectionDeclaration<SystemSection> = {
  kind: 'section',
  name: 'system',
  meaning: 'The broker as a process.',
  keys: {
    sys_topics: booleanKey({
      default: true,
      meaning: 'Whether figures are published below $SYS/brokers.',
      reason: 'Dashboards expect them; they cost next to nothing.',
    }),
    sys_topics_interval_seconds: integerKey({
      default: 60,
      minimum: 1,
      maximum: 86_400,
      meaning: 'How often they are published.',
      reason: 'Metrics for alarms come from /metrics.',
      unit: 'seconds',
    }),
    drain_timeout_ms: integerKey({
      default: 5000,
      minimum: 0,
      maximum: 5000,
      meaning: 'After SIGTERM connections are told and closed within this time.',
      reason: 'Supervisors kill after ten seconds; the rest is for the last flush.',
      unit: 'milliseconds',
    }),
    warm_up_ms: integerKey({
      default: 1000,
      minimum: 0,
      maximum: 10_000,
      meaning:
        'Processor time that the broker spends on running its own code, on a copy of itself in memory, before it opens its listeners. 0: none.',
      reason:
        'Code that has run a while is compiled and twice as fast: the clients that come first after a start find it so.',
      unit: 'milliseconds',
    }),
  },
};
