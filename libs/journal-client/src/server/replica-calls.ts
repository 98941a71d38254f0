/** Carries out what is asked for once: everything but appends, whose order counts, and tails. */
import type { KeyedRecord, Offset } from '@robustmq/journal';
import type { JournalCall, JournalOutcome, JournalReplyFault } from '@robustmq/rpc';
import type { KeyedReplica, MessageReplica, OpenReplica } from './replica-ports.ts';
import type { Timers } from '@robustmq/environment';
import { absent, invalid } from './fault-of.ts';
import { selectorOf } from './wire-selector.ts';

/** LIMIT: readBytesMax (of one answer, unless one record alone is larger) */
const readBytesMax = 2 * 1024 * 1024;
/** LIMIT: readRecordsMax */
const readRecordsMax = 10_000;
/** LIMIT: listedKeysMax (of one answer; the client asks on) */
const listedKeysMax = 1_000;

/** A request that has one answer. */
export type AnsweredCall = Exclude<
  JournalCall,
  { readonly kind: 'append' | 'openTail' | 'openKeyedTail' | 'credit' | 'closeTail' }
>;

/** @throws JournalError, RaftError as the replica does */
export async function carryOut(
  call: AnsweredCall,
  open: OpenReplica,
  { deadlineMs, timers }: { readonly deadlineMs: number; readonly timers: Timers },
): Promise<JournalOutcome> {
  if (open.kind === 'messages') return onMessages(call, open, { deadlineMs, timers });
  return onKeys(call, open.replica, deadlineMs);
}

async function onMessages(
  call: AnsweredCall,
  { replica, life }: Extract<OpenReplica, { readonly kind: 'messages' }>,
  patience: { readonly deadlineMs: number; readonly timers: Timers },
): Promise<JournalOutcome> {
  const { deadlineMs } = patience;
  switch (call.kind) {
    case 'committed': {
      if (call.life !== 0 && call.life !== life) return refused(absent('this life of the shard'));
      const offset = await replica.committed(deadlineMs);
      return { kind: 'committed', offset, oldest: replica.oldest, life };
    }
    case 'read':
      return read(call, replica, patience);
    case 'readAt':
      if (!(await reached(replica, call.committedSeen, patience))) return behind();
      return { kind: 'oneRecord', record: await replica.readAt(call.offset) };
    case 'offsetAt': {
      await replica.committed(deadlineMs);
      const offset = await replica.offsetAt(call.atMs);
      return { kind: 'committed', offset, oldest: replica.oldest, life };
    }
    case 'trim':
      await replica.trimBefore(call.before, deadlineMs);
      return { kind: 'committed', offset: replica.end, oldest: replica.oldest, life };
    case 'fence':
      await replica.fence(call.producer, deadlineMs);
      return { kind: 'done' };
    default:
      return refused(invalid('the shard holds messages, not keys'));
  }
}

async function read(
  call: Extract<AnsweredCall, { readonly kind: 'read' }>,
  replica: MessageReplica,
  patience: { readonly deadlineMs: number; readonly timers: Timers },
): Promise<JournalOutcome> {
  const selector = selectorOf(call.selector);
  if (typeof selector === 'string') return refused(invalid(selector));
  if (!(await reached(replica, call.committedSeen, patience))) return behind();
  const reader = replica.openReader(call.from, selector);
  const recordsMax = Math.max(1, Math.min(call.recordsMax, readRecordsMax));
  const records = await reader.read(recordsMax, Math.min(call.bytesMax, readBytesMax));
  return { kind: 'records', records, position: reader.position, oldest: replica.oldest };
}

/** Waits until the replica shows what the client knows to be committed. @returns whether it does */
function reached(
  replica: MessageReplica,
  end: Offset,
  { deadlineMs, timers }: { readonly deadlineMs: number; readonly timers: Timers },
): Promise<boolean> {
  if (replica.end >= end) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (): void => {
      moves.stop();
      timer.cancel();
      resolve(replica.end >= end);
    };
    const moves = replica.onMoved(() => {
      if (replica.end >= end) settle();
    });
    const timer = timers.after(deadlineMs, settle);
  });
}

async function onKeys(
  call: AnsweredCall,
  replica: KeyedReplica,
  deadlineMs: number,
): Promise<JournalOutcome> {
  switch (call.kind) {
    case 'writeKeys':
      return { kind: 'keysWritten', taken: await replica.write(call.writes, deadlineMs) };
    case 'claimKey':
      return {
        kind: 'keyClaimed',
        ...(await replica.claim(call.key, call.fence, deadlineMs)),
      };
    case 'readKey':
      return { kind: 'oneKey', record: await replica.read(call.key, deadlineMs) };
    case 'listKeys': {
      const limit = Math.max(1, Math.min(call.limit, listedKeysMax));
      const records = fitting(await replica.list(call.after, limit, deadlineMs));
      return { kind: 'keys', records, more: records.length > 0 && records.length < call.limit };
    }
    case 'revision':
      return { kind: 'revision', revision: await replica.revision(deadlineMs) };
    default:
      return refused(invalid('the shard holds keys, not messages'));
  }
}

/** At least one, and no more than fit into an answer. */
function fitting(records: readonly KeyedRecord[]): readonly KeyedRecord[] {
  let bytes = 0;
  const after = records.findIndex(({ key, value }, at) => {
    bytes += 32 + 3 * key.length + value.length;
    return at > 0 && bytes > readBytesMax;
  });
  return after < 0 ? records : records.slice(0, after);
}

function behind(): JournalOutcome {
  const detail = 'this replica does not have what is committed elsewhere yet';
  return refused({ code: 'JOURNAL_TRY_AGAIN', detail });
}

function refused(fault: JournalReplyFault): JournalOutcome {
  return { kind: 'fault', fault };
}
