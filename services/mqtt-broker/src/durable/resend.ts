import { Delivery, Message, Subscription } from '@robustmq/broker';
import type { JournalRecord } from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { RETAINED } from '../session/client-session.ts';
import { directNameOf, readMessageRecord } from './message-record.ts';
import { OPERATION, RECORD_KIND } from './operations.ts';
import { isClosed } from './log-consumer.ts';

const PUBREL = 0x62;

/**
 * Repeats what a client had open when its connection ended, in the order in which it was first sent:
 * PUBLISH with DUP for what was not acknowledged, PUBREL for what was received (MQTT-5.0 §4.4,
 * [MQTT-4.6.0-1]). New messages follow after that.
 */
export function resendExchanges(context: BrokerContext, session: ClientSession): void {
  const { epoch } = session;
  session.resending = true;
  // What was committed before this moment is among the open exchanges.
  session.takeUnsent();
  resendAll(context, session, epoch).catch((error: unknown) => {
    if (!isClosed(error)) context.fatal('reading the journal failed', error);
  });
}

async function resendAll(
  context: BrokerContext,
  session: ClientSession,
  epoch: number,
): Promise<void> {
  await resendEach(context, session, { epoch, exchanges: session.window.open() });
  // Commits that came meanwhile could not send without overtaking. A newer connection has its own.
  while (session.epoch === epoch) {
    const unsent = session.takeUnsent();
    if (unsent.size === 0) break;
    const exchanges = session.window.open().filter(({ id }) => unsent.has(id));
    await resendEach(context, session, { epoch, exchanges, firstTime: true });
  }
  if (session.epoch !== epoch) return;
  // In the same step as the last look: the next commit sends by itself.
  session.resending = false;
  session.pump();
}

interface Resending {
  readonly epoch: number;
  readonly exchanges: ReturnType<ClientSession['window']['open']>;
  readonly firstTime?: boolean;
}

async function resendEach(
  context: BrokerContext,
  session: ClientSession,
  work: Resending,
): Promise<void> {
  for (const { id, state, offset } of work.exchanges) {
    // Its commit group sends the PUBLISH, or the PUBREL: not before it is durable.
    if (state === ExchangeState.assigned || state === ExchangeState.received) continue;
    await session.connection?.output.room(context.settings.limits.outputBytesMax);
    const released = state === ExchangeState.awaitingPubcomp;
    const record = released || offset < 0 ? null : await context.log.readAt(offset);
    const { connection } = session;
    if (connection === null || session.epoch !== work.epoch) return;
    if (session.window.stateOf(id) !== state) continue;
    if (released) {
      connection.writeAcknowledgement(PUBREL, id);
      continue;
    }
    const dup = work.firstTime !== true;
    if (
      record === null ||
      !resendOne(context, session, { record, place: offset, id, state, dup })
    ) {
      session.logExchange(OPERATION.release, id);
      session.completeExchange(id);
    }
  }
}

function resendOne(
  context: BrokerContext,
  session: ClientSession,
  exchange: {
    readonly record: JournalRecord;
    readonly place: number;
    readonly id: number;
    readonly state: number;
    readonly dup: boolean;
  },
): boolean {
  const { record } = exchange;
  const name = record.kind === RECORD_KIND.direct ? directNameOf(record.body, 0) : record.topic;
  const topic = context.router.topicOf(name);
  const message = new Message(topic);
  const range = { start: 0, end: record.body.length };
  readMessageRecord(record.body, range, { message, topic, kind: record.kind });
  if (record.kind === RECORD_KIND.direct) message.publisher = RETAINED;
  const delivery =
    session.consumer?.deliveryOf(topic, exchange.place, record.kind) ??
    context.groups.deliveryFor(session, topic);
  // Unsubscribed meanwhile: what was begun is finished all the same (MQTT-5.0 [MQTT-3.10.4-3]).
  const known = delivery ?? plainDelivery(session);
  if (!session.allows(topic, known)) {
    const giver = session.giverOf(exchange.id);
    // Another member may have what is not sent again; a QoS 2 message was perhaps received.
    if (giver === null || exchange.state !== ExchangeState.awaitingPuback) {
      context.counters.droppedNotAuthorized += 1;
    } else context.groups.giveBack(giver, exchange.place);
    return false;
  }
  const qos = exchange.state === ExchangeState.awaitingPubrec ? 2 : 1;
  context.encoder.load(message, context.nowMs());
  return session.send(message, known, { qos, identifier: exchange.id, dup: exchange.dup });
}

/** A delivery without any subscription behind it. */
function plainDelivery(session: ClientSession): Delivery {
  return new Delivery(
    new Subscription('-', session, {
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      identifier: 0,
      since: 0,
    }),
  );
}
