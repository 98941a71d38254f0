import { Message, type SharedGroup } from '@robustmq/broker';
import type { Offset } from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import { filterMatchesTopic } from '@robustmq/topic';
import type { BrokerContext } from '../broker-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import { readMessageRecord } from './message-record.ts';
import { isClosed } from './log-consumer.ts';
import { RECORD_KIND } from './operations.ts';
import { readRecord } from './resend.ts';

/**
 * The journaled messages of shared groups that an ended session did not acknowledge are given to
 * other members. What it received with QoS 2 is its own (MQTT-5.0 [MQTT-4.8.2-5]).
 */
export function redispatch(
  context: BrokerContext,
  session: ClientSession,
  groups: readonly SharedGroup[],
): void {
  const open = session.window
    .open()
    .filter(({ state, offset }) => offset >= 0 && !isReceived(state));
  const own = [...session.subscriptions.values()]
    .filter((subscription) => subscription.group === null)
    .map((subscription) => subscription.filter);
  redispatchAll(context, { open, own, groups }).catch((error: unknown) => {
    if (!isClosed(error)) context.fatal('reading the journal failed', error);
  });
}

function isReceived(state: number): boolean {
  return state === ExchangeState.awaitingPubcomp || state === ExchangeState.received;
}

async function redispatchAll(
  context: BrokerContext,
  work: {
    readonly open: readonly { readonly offset: number }[];
    readonly own: readonly string[];
    readonly groups: readonly SharedGroup[];
  },
): Promise<void> {
  for (const { offset } of work.open) {
    const record = await readRecord(context, offset as Offset);
    if (record === null || record.kind !== RECORD_KIND.message) continue;
    if (work.own.some((filter) => filterMatchesTopic(filter, record.topic))) continue;
    const group = work.groups.find(({ filter }) => filterMatchesTopic(filter, record.topic));
    if (group === undefined) continue;
    const topic = context.router.topicOf(record.topic);
    const message = new Message(topic);
    const range = { start: 0, end: record.body.length };
    readMessageRecord(record.body, range, { message, topic, kind: record.kind });
    giveToMember(context, group, message);
    if (context.log.batchIsLarge) await context.log.nextCommit();
  }
}

/** Gives a message that is in no journal record of the group (any more) to one of its members. */
export function giveToMember(context: BrokerContext, group: SharedGroup, message: Message): void {
  const online = group.pick(message, '', (member) => member.subscriber.online);
  // A member that is away, but durable, finds it when it returns.
  const member = online ?? group.members.find((candidate) => candidate.subscriber.durable);
  if (member === undefined) return;
  const session = member.subscriber as ClientSession;
  if (!session.durable) {
    context.encoder.load(message, context.nowMs());
    session.deliver(message, member);
    return;
  }
  // A direct record keeps the flag as it is written.
  message.retain = message.retain && member.retainAsPublished;
  context.log.deliverDirect(session, member, message);
}
