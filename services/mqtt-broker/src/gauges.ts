import { type GaugeSource, zeroGaugeSource } from '@robustmq/telemetry';
import type { Listener } from '@robustmq/transport';
import type { BrokerContext } from './broker-context.ts';

/** What the broker knows without counting, for `/metrics` and `$SYS`. */
export function gaugesOf(context: BrokerContext, listeners: readonly Listener[]): GaugeSource {
  const sumOf = (pick: (listener: Listener) => number): (() => number) => {
    return () => listeners.reduce((sum, listener) => sum + pick(listener), 0);
  };
  const overSessions =
    (
      pick: (session: { inflightNow: number; queuedCount: number; subscribes: boolean }) => number,
    ) =>
    (): number => {
      let sum = 0;
      for (const session of context.sessions.all()) {
        sum += pick({
          inflightNow: session.hasWindow ? session.window.count : 0,
          queuedCount: session.queuedCount,
          subscribes: session.subscriptions.size > 0,
        });
      }
      return sum;
    };
  return {
    ...zeroGaugeSource,
    connections: () => context.connectedCount(),
    sessions: () => context.sessions.count,
    subscribers: overSessions(({ subscribes }) => (subscribes ? 1 : 0)),
    subscriptions: () => context.router.subscriptionCount,
    sharedSubscriptions: () => context.router.sharedSubscriptionCount,
    topics: () => context.router.topics.size,
    routes: () => context.router.filterCount,
    retainedMessages: () => context.retained.count,
    retainedBytes: () => context.retained.bytes,
    queuedMessages: overSessions(({ queuedCount }) => queuedCount),
    queuedBytes: () => context.queuedBytes,
    inflightMessages: overSessions(({ inflightNow }) => inflightNow),
    publishersPaused: () => context.pausedPublishers.size,
    memoryBudgetUsedBytes: () => context.waitingBytes,
    memoryBudgetMaxBytes: () => context.settings.limits.memoryBytesMax,
    journalBytes: () => context.log.gauges.bytes,
    journalSegments: () => context.log.gauges.segments,
    journalOldestOffset: () => context.log.gauges.oldest,
    journalCommittedOffset: () => context.log.gauges.committed,
    journalNextOffset: () => context.log.gauges.next,
    journalWritable: () => (context.log.full ? 0 : 1),
    journalAppendedRecords: () => context.log.gauges.appendedRecords,
    journalFlushes: () => context.log.gauges.flushes,
    listenerAccepted: sumOf((listener) => listener.stats.accepted),
    listenerRefusedAtLimit: sumOf((listener) => listener.stats.refusedAtLimit),
    listenerHandshakeFailures: sumOf((listener) => listener.stats.handshakeFailures),
  };
}
