import type { Delivery, Message } from '@robustmq/broker';
import type { ClientSession } from '../session/client-session.ts';
import type { DurableLog } from './durable-log.ts';
import type { LogConsumer } from './log-consumer.ts';
import { RECORD_KIND } from './operations.ts';

/** Hands the record appended last to the durable sessions that want it, or leaves it in the journal for later. */
export function serveAtAppend(
  log: DurableLog,
  durable: readonly Delivery[],
  message: Message,
): void {
  for (let index = 0; index < durable.length; index += 1) {
    const delivery = durable[index] as Delivery;
    const session = delivery.subscriber as ClientSession;
    const own = message.publisher === session ? delivery.own : null;
    serveOne(log, session, own ?? delivery, message);
  }
}

function serveOne(
  log: DurableLog,
  session: ClientSession,
  delivery: Delivery,
  message: Message,
): void {
  const consumer = session.consumer as LogConsumer | null;
  if (consumer === null) return;
  const { offset, start, end } = log.appended;
  if (!consumer.live) {
    if (consumer.wantsMissed && mayTake(session, delivery, message)) {
      const { topic } = message;
      log.miss(consumer, delivery, { topic, kind: RECORD_KIND.message, offset, start, end });
    }
    return;
  }
  if (!mayTake(session, delivery, message)) return;
  if (!session.hasRoom) {
    consumer.fallBehind(offset);
    return;
  }
  const qos = message.qos < delivery.qos ? message.qos : delivery.qos;
  log.plan(session, delivery, {
    topic: message.topic,
    kind: RECORD_KIND.message,
    qos,
    offset,
    bytes: null,
    start,
    end,
  });
}

function mayTake(session: ClientSession, delivery: Delivery, message: Message): boolean {
  if (delivery.noLocal && message.publisher === session) return false;
  return session.mayReceive(message.topic, delivery);
}
