import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { DurableLog } from './durable-log.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { LogConsumer } from './log-consumer.ts';

/**
 * What the code of this folder sees of a broker whose journal is its own. It runs nowhere else, so that
 * a context which comes here has these parts.
 */
export function embeddedLog(context: BrokerContext): DurableLog {
  return context.log as DurableLog;
}

export function embeddedGroups(context: BrokerContext): GroupRegistry {
  return context.groups as GroupRegistry;
}

export function consumerOf(session: ClientSession): LogConsumer | null {
  return session.consumer as LogConsumer | null;
}
