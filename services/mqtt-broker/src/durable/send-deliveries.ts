import type { Message } from '@robustmq/broker';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import { RETAINED } from '../session/client-session.ts';
import type { CommitGroup, PlannedDelivery } from './commit-group.ts';
import { readMessageRecord } from './message-record.ts';
import { OPERATION, RECORD_KIND } from './operations.ts';

/**
 * Sends what a commit group has planned, in order.
 *
 * @param message  scratch
 * @param isRefused  when the group failed: which of them nobody gets; what was read from the journal
 *   before goes out all the same. Null: it was committed
 */
export function sendDeliveries(
  context: BrokerContext,
  group: Pick<CommitGroup, 'deliveries' | 'bytes'>,
  message: Message,
  isRefused: ((planned: PlannedDelivery) => boolean) | null,
): void {
  const { encoder } = context;
  let loadedBytes: Uint8Array | null = null;
  let loadedStart = -1;
  for (const planned of group.deliveries) {
    if (isRefused !== null && isRefused(planned)) {
      planned.session.completeExchange(planned.identifier);
      loadedStart = -1;
      continue;
    }
    const bytes = planned.bytes ?? group.bytes;
    if (bytes === null) continue;
    if (bytes !== loadedBytes || planned.start !== loadedStart) {
      loadedBytes = bytes;
      loadedStart = planned.start;
      readMessageRecord(bytes, planned, { message, topic: planned.topic, kind: planned.kind });
      if (planned.kind === RECORD_KIND.direct) message.publisher = RETAINED;
      encoder.load(message, context.nowMs());
    }
    // What a free window lets through next may have loaded another message.
    if (!send(message, planned)) loadedStart = -1;
  }
}

/** @returns false when the message was given up and its place in the window is free again */
function send(message: Message, planned: PlannedDelivery): boolean {
  const { session, identifier, qos } = planned;
  const window = session.window;
  if (window.stateOf(identifier) !== ExchangeState.assigned) return true; // the session was reset
  window.setState(
    identifier,
    qos === 1 ? ExchangeState.awaitingPuback : ExchangeState.awaitingPubrec,
  );
  // Offline by now: the exchange stays open and is repeated at the next connection.
  if (session.connection === null) return true;
  if (session.resending) {
    session.addUnsent(identifier);
    return true;
  }
  if (session.send(message, planned.delivery, { qos, identifier, dup: false })) return true;
  session.logExchange(OPERATION.release, identifier);
  session.completeExchange(identifier);
  return false;
}
