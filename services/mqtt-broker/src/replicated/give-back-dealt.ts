import type { Timers } from '@robustmq/environment';
import { JournalError, type JournalRecord, type Offset } from '@robustmq/journal';
import { ExchangeState } from '@robustmq/mqtt-session';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import { type Deal, dealOf, directTopicOf, returnTopicOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import { placeOf, shardAt } from './place.ts';
import { copyOf, RecordInHand } from './record-in-hand.ts';
import type { ReplicatedLog } from './replicated-log.ts';
import { decodeSessionState, type SessionState } from './session-state.ts';

const READ_RECORDS_MAX = 128;
const READ_BYTES_MAX = 128 * 1024;
const BEHIND_MS = 10;
/** A shard that is full is asked again after this. */
const REFUSED_MS = 1000;

interface Ending {
  readonly clientId: string;
  readonly epoch: number;
  readonly deadlineMs: number;
}

/** A message that the session had open, or has not read. */
interface Found {
  readonly shard: number;
  readonly record: JournalRecord;
}

/**
 * A session ends: what shared groups dealt to it goes back to them, unless it was acknowledged or perhaps
 * sent with QoS 2. May be done again: a group takes each message back once.
 *
 * @throws JournalError JOURNAL_FENCED  somebody owns the session by a higher epoch
 * @throws what `ClusterGroups.endMember` throws
 */
export async function giveBackDealt(
  context: BrokerContext,
  log: ReplicatedLog,
  ending: Ending,
): Promise<void> {
  const groups = context.cluster?.groups;
  const { clientId, epoch, deadlineMs } = ending;
  const all = groups?.groupsOf(clientId) ?? [];
  // A group without other members ends with this one.
  const keys = all.filter((key) => groups?.hasOthers(key, clientId) === true);
  if (groups === undefined || keys.length === 0) return;
  for (const key of keys) await groups.endMember(key, { clientId, epoch });
  const { table } = log.sessions.tableOf(clientId);
  const { taken, record } = await table.claim(clientId, epoch, deadlineMs);
  if (!taken) {
    const detail = `session ${clientId} has an owner of a higher epoch than ${epoch}`;
    throw new JournalError({ code: 'JOURNAL_FENCED', shard: table.name, detail });
  }
  if (record === null) return;
  const state = decodeSessionState(record.value);
  const found = [
    ...(await openOf(log, state)),
    ...(await unreadOf(context.timers, log, { state, ending })),
  ];
  const inHand = new RecordInHand(context);
  const returned: Promise<boolean>[] = [];
  for (const { shard, record: dealt } of found) {
    const deal = dealOf(dealt.body);
    if (deal === null || !keys.includes(deal.group)) continue;
    inHand.hold(shard, dealt);
    const message = copyOf(inHand);
    const to = {
      index: returnTopicOf(deal.group),
      deal: { group: deal.group, source: dealt.offset },
    };
    returned.push(new Promise((resolve) => log.deal(message, to, resolve)));
  }
  if ((await Promise.all(returned)).every(Boolean)) return;
  const detail = `what was dealt to session ${clientId} could not be given back`;
  throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: 'mqtt', detail });
}

/**
 * What a session finds dealt to it that has left its group, or has no right to it; tried until it is
 * committed. In the second case the dealer is told before, so that another member gets it.
 */
export function giveBackUnread(
  { timers, cluster }: BrokerContext,
  log: ReplicatedLog,
  found: {
    readonly record: RecordInHand;
    readonly deal: Deal;
    readonly denied: string | null;
  },
): void {
  const { record, deal, denied } = found;
  const message = copyOf(record);
  const { group } = deal;
  const to = { index: returnTopicOf(group), deal: { group, source: record.offset } };
  const attempt = (): void => {
    log.deal(message, to, (committed) => {
      if (!committed) timers.after(REFUSED_MS, attempt);
    });
  };
  if (denied === null || cluster === null) attempt();
  else {
    const denial = { clientId: denied, topic: message.topic.name };
    // Without a dealer that hears of it, the member is asked once more.
    void cluster.groups.deny(group, denial).then(attempt, attempt);
  }
}

/** Of QoS 1 only: what has an exchange of QoS 2 was perhaps received. */
async function openOf(log: ReplicatedLog, state: SessionState): Promise<readonly Found[]> {
  const open: Found[] = [];
  for (const { place, state: exchange } of state.exchanges) {
    if (exchange !== ExchangeState.awaitingPuback || place < 0) continue;
    const record = await log.shards.readAt(place);
    if (record?.kind === RECORD_KIND.direct) open.push({ shard: shardAt(place), record });
  }
  return open;
}

async function unreadOf(
  timers: Timers,
  log: ReplicatedLog,
  { state, ending }: { readonly state: SessionState; readonly ending: Ending },
): Promise<readonly Found[]> {
  const { clientId, deadlineMs } = ending;
  const unread: Found[] = [];
  const open = new Set(state.exchanges.map(({ place }) => place));
  for (const [number, position] of state.positions.entries()) {
    if (number >= log.shards.count) break;
    const shard = log.shards.at(number);
    const end = await shard.committed(deadlineMs);
    const from = Math.max(position, shard.oldest) as Offset;
    const exact = [directTopicOf(clientId)];
    const reader = shard.openReader(from, { kind: 'topics', exact, matches: null });
    while (reader.position < end) {
      const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
      for (const record of records) {
        if (!open.has(placeOf(number, record.offset))) unread.push({ shard: number, record });
      }
      if (records.length === 0) await waitMs(timers, BEHIND_MS);
    }
  }
  return unread;
}
