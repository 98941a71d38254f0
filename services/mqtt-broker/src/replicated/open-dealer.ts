import { JournalError, type Offset, type SharedShard } from '@robustmq/journal';
import type { BrokerContext } from '../broker-context.ts';
import { waitMs } from '../broker-environment.ts';
import type { GroupMember, GroupTerm } from '../cluster/contract.ts';
import { dealOf, returnTopicOf } from '../durable/message-record.ts';
import { RECORD_KIND } from '../durable/operations.ts';
import { GroupDealer } from './group-dealer.ts';
import { groupRecordKey } from './group-records.ts';
import { GroupShard } from './group-shard.ts';
import type { ReplicatedGroups } from './replicated-groups.ts';
import type { ReplicatedLog } from './replicated-log.ts';
import { decodeSessionState } from './session-state.ts';

const READ_RECORDS_MAX = 256;
const READ_BYTES_MAX = 256 * 1024;
const BEHIND_MS = 10;

/**
 * A dealer that goes on where the one before it was, whose appends are over: claims the group's record,
 * and reads from its place on which messages have been dealt.
 *
 * @throws JournalError JOURNAL_FENCED       a later dealer has it
 * @throws JournalError JOURNAL_UNAVAILABLE
 */
export async function openDealer(
  context: BrokerContext,
  { log, groups }: { readonly log: ReplicatedLog; readonly groups: ReplicatedGroups },
  opening: {
    readonly term: GroupTerm;
    readonly members: readonly GroupMember[];
    readonly deadlineMs: number;
  },
): Promise<GroupDealer> {
  const { term, members, deadlineMs } = opening;
  const dealer = new GroupDealer(context, log, term, (each) => groups.removeDealer(each));
  try {
    const key = groupRecordKey(term.key);
    const { table } = log.sessions.tableOf(key);
    const { taken, record } = await table.claim(key, term.epoch, deadlineMs);
    if (!taken) {
      const detail = `group ${term.key} has a dealer of a higher epoch than ${term.epoch}`;
      throw new JournalError({ code: 'JOURNAL_FENCED', shard: table.name, detail });
    }
    const positions = record === null ? null : decodeSessionState(record.value).positions;
    const numbers = Array.from({ length: log.shards.count }, (_, number) => number);
    groups.addDealer(dealer);
    const shards = await Promise.all(
      numbers.map(async (number) => {
        const shard = log.shards.at(number);
        const end = await shard.committed(deadlineMs);
        const place = positions === null ? end : (positions[number] ?? 0);
        const settled = await dealtFrom(context, shard, { key: term.key, place, end, deadlineMs });
        return new GroupShard(shard, dealer.selector(), { number, place, settled, end });
      }),
    );
    dealer.begin(shards);
    await log.groupRecords.written(dealer);
    dealer.setMembers(members);
    return dealer;
  } catch (error) {
    dealer.stop();
    throw error;
  }
}

/** Offsets, from `place` on, of messages that were dealt to somebody. */
async function dealtFrom(
  { clock, timers }: BrokerContext,
  shard: SharedShard,
  from: {
    readonly key: string;
    readonly place: number;
    readonly end: number;
    readonly deadlineMs: number;
  },
): Promise<Set<number>> {
  const { key, end, deadlineMs } = from;
  const dealt = new Set<number>();
  const place = Math.max(from.place, shard.oldest);
  if (place >= end) return dealt;
  const lateMs = clock.monotonicMs() + deadlineMs;
  const matches = (topic: string): boolean => topic.charCodeAt(0) === 0;
  const reader = shard.openReader(place as Offset, { kind: 'topics', exact: [], matches });
  while (reader.position < end) {
    if (clock.monotonicMs() > lateMs) {
      const detail = `what was dealt of group ${key} is not read after ${deadlineMs} ms`;
      throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: shard.name, detail });
    }
    const records = await reader.read(READ_RECORDS_MAX, READ_BYTES_MAX);
    for (const { kind, topic, body } of records) {
      if (kind !== RECORD_KIND.direct || topic === returnTopicOf(key)) continue;
      const deal = dealOf(body);
      if (deal?.group === key) dealt.add(deal.source);
    }
    if (records.length === 0) await waitMs(timers, BEHIND_MS);
  }
  return dealt;
}
