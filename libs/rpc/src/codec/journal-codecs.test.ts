import type {
  JournalRecord,
  KeyedChange,
  KeyedRecord,
  Offset,
  RecordAttributes,
} from '@robustmq/journal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecCase, testCodecs } from '../testing/codec-cases.ts';
import { loadProtoFiles } from '../testing/proto-files.ts';
import { codecOf } from './codec-of.ts';
import { repairService } from '../contract/replica-repair.ts';
import { type JournalReplyFault, readJournalFault, writeJournalFault } from './journal-fault.ts';
import { type JournalOutcome, journalRepliesCodec } from './journal-replies.ts';
import { type JournalCall, journalRequestsCodec, type WireSelector } from './journal-requests.ts';

type Any<Value> = fc.Arbitrary<Value>;

const number: Any<number> = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(2 ** 32));
const offset: Any<Offset> = number.map((value) => value as Offset);
const uint32: Any<number> = fc.nat(0xffff_ffff);
const text: Any<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const bytes: Any<Uint8Array> = fc.uint8Array({ maxLength: 300 });
const flag = fc.boolean();
const producer = fc.record({ id: number, incarnation: number });
const selector: Any<WireSelector> = fc.oneof(
  fc.constant({ kind: 'everything' as const }),
  fc.record({
    kind: fc.constant('some' as const),
    topics: fc.array(text, { maxLength: 3 }),
    filters: fc.array(text, { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('attribute' as const),
    attribute: fc.constantFrom('key', 'sender', 'messageId'),
    value: bytes,
  }),
);
const write = fc.record({ key: text, fence: number, value: fc.option(bytes) });
const change: Any<KeyedChange> = fc.record({
  key: text,
  fence: number,
  value: fc.option(bytes),
  revision: number,
});
const keyed: Any<KeyedRecord> = fc.record({
  key: text,
  fence: number,
  value: bytes,
  revision: number,
});
const attributes: Any<RecordAttributes> = fc
  .record(
    {
      key: bytes,
      sender: text,
      messageId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      headers: fc.array(fc.record({ name: text, value: bytes }), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .filter((each) => Object.keys(each).length > 0);
const record: Any<JournalRecord> = fc.record(
  { offset, appendedAtMs: number, kind: fc.nat(255), topic: text, body: bytes, attributes },
  { requiredKeys: ['offset', 'appendedAtMs', 'kind', 'topic', 'body'] },
);

function kind<Kind extends string>(name: Kind): Any<Kind> {
  return fc.constant(name);
}

const call: Any<JournalCall> = fc.oneof(
  fc.record({
    kind: kind('append'),
    producer,
    sequence: number,
    acknowledgement: fc.constantFrom('all-synced', 'leader', 'memory'),
    mayMissFrom: number,
    batch: bytes,
  }),
  fc.record({ kind: kind('committed'), life: number }),
  fc.record({ kind: kind('revision') }),
  fc.record({
    kind: kind('read'),
    from: offset,
    selector,
    recordsMax: uint32,
    bytesMax: uint32,
    committedSeen: offset,
  }),
  fc.record({ kind: kind('readAt'), offset, committedSeen: offset }),
  fc.record({ kind: kind('offsetAt'), atMs: number }),
  fc.record({ kind: kind('trim'), before: offset }),
  fc.record({ kind: kind('fence'), producer }),
  fc.record({ kind: kind('openTail'), from: offset, selector, creditBytes: number }),
  fc.record({ kind: kind('credit'), tail: number, bytes: number }),
  fc.record({ kind: kind('closeTail'), tail: number }),
  fc.record({ kind: kind('writeKeys'), writes: fc.array(write, { maxLength: 3 }) }),
  fc.record({ kind: kind('claimKey'), key: text, fence: number }),
  fc.record({ kind: kind('readKey'), key: text }),
  fc.record({ kind: kind('listKeys'), after: fc.option(text), limit: uint32 }),
  fc.record({ kind: kind('openKeyedTail'), after: number, creditBytes: number }),
);

const fault: Any<JournalReplyFault> = fc.oneof(
  fc.record({
    code: kind('JOURNAL_NOT_LEADER'),
    leader: fc.option(number),
    leaderAddress: text,
  }),
  fc.record({ code: kind('JOURNAL_OFFSET_TRIMMED'), requested: offset, oldest: offset }),
  fc.record({
    code: kind('JOURNAL_RECORD_CORRUPT'),
    file: text,
    position: number,
    first: offset,
    after: offset,
  }),
  fc.record({
    code: kind('JOURNAL_FULL'),
    limit: fc.constantFrom('disk', 'configured'),
    detail: text,
  }),
  fc.record({
    code: kind('JOURNAL_IO_FAILED'),
    operation: fc.constantFrom('append', 'read', 'trim', 'open'),
    detail: text,
  }),
  fc.record({ code: kind('JOURNAL_OUT_OF_ORDER'), expected: number }),
  fc.record({
    code: fc.constantFrom('JOURNAL_FENCED', 'JOURNAL_UNAVAILABLE'),
    shard: text,
    detail: text,
  }),
  fc.record({
    code: fc.constantFrom(
      'JOURNAL_SHARD_ABSENT',
      'JOURNAL_TRY_AGAIN',
      'JOURNAL_OUTCOME_UNKNOWN',
      'JOURNAL_REQUEST_INVALID',
    ),
    detail: text,
  }),
);

const outcome: Any<JournalOutcome> = fc.oneof(
  fc.record({ kind: kind('appended'), offset: fc.option(offset) }),
  fc.record({ kind: kind('committed'), offset, oldest: offset, life: number }),
  fc.record({
    kind: kind('records'),
    records: fc.array(record, { maxLength: 3 }),
    position: offset,
    oldest: offset,
  }),
  fc.record({ kind: kind('oneRecord'), record: fc.option(record) }),
  fc.record({ kind: kind('done') }),
  fc.record({ kind: kind('keysWritten'), taken: fc.array(flag, { maxLength: 9 }) }),
  fc.record({ kind: kind('keyClaimed'), taken: flag, record: fc.option(keyed) }),
  fc.record({ kind: kind('oneKey'), record: fc.option(keyed) }),
  fc.record({ kind: kind('keys'), records: fc.array(keyed, { maxLength: 3 }), more: flag }),
  fc.record({ kind: kind('revision'), revision: number }),
  fc.record({
    kind: kind('changes'),
    changes: fc.array(change, { maxLength: 3 }),
    position: number,
  }),
  fc.record({ kind: kind('fault'), fault }),
);

const requests = fc.array(fc.record({ id: number, shard: text, deadlineMs: number, call }), {
  maxLength: 3,
});
const replies = fc.array(fc.record({ id: number, outcome }), { maxLength: 3 });
const { readEntries } = repairService.methods;
const entriesRequest = fc.record({
  clusterName: text,
  groupId: number,
  from: number,
  through: number,
});
const entriesReply = fc.record({ entries: fc.option(fc.uint8Array({ maxLength: 2000 })) });
const P = 'robustmq.journal.v1';

describe('the codec of the journal', () => {
  testCodecs(
    loadProtoFiles(['robustmq/journal/v1/journal.proto', 'robustmq/journal/v1/repair.proto']),
    [
      codecCase(`${P}.JournalRequests`, journalRequestsCodec, requests),
      codecCase(`${P}.JournalReplies`, journalRepliesCodec, replies),
      codecCase(`${P}.ReadEntriesRequest`, readEntries.request, entriesRequest),
      codecCase(`${P}.ReadEntriesReply`, readEntries.reply, entriesReply),
      codecCase(`${P}.JournalFault`, codecOf(writeJournalFault, readJournalFault), fault),
    ],
  );

  test('joins requests by standing one behind the other', () => {
    const batch = fc.sample(requests, { numRuns: 5, seed: 3 }).flat();
    const parts = batch.map((request) => journalRequestsCodec.encode([request]));
    expect(journalRequestsCodec.decode(Buffer.concat(parts))).toEqual(batch);
  });

  test('takes a fault that a newer server has for an unknown outcome', () => {
    const codec = codecOf(writeJournalFault, readJournalFault);
    const newer = codec.encode({ code: 'JOURNAL_NEWER' as 'JOURNAL_TRY_AGAIN', detail: 'why' });
    expect(codec.decode(newer)).toEqual({
      code: 'JOURNAL_OUTCOME_UNKNOWN',
      detail: 'JOURNAL_NEWER: why',
    });
  });
});
