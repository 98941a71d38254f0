/** Faults of journal servers: `proto/robustmq/journal/v1/journal.proto`. */
import type { JournalFault, Offset } from '@robustmq/journal';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

/**
 * What a journal server answers in place of a result: a fault of the contract, or one that a client
 * acts on by itself and never shows.
 */
export type JournalReplyFault =
  | Exclude<JournalFault, { readonly code: 'JOURNAL_CLOSED' }>
  /** Nothing happened. Only the leader does this; null: none is known here. */
  | {
      readonly code: 'JOURNAL_NOT_LEADER';
      readonly leader: number | null;
      /** As `host:port`; empty when it is not known. */
      readonly leaderAddress: string;
    }
  /** Nothing happened: no replica of the shard is open on this node. */
  | { readonly code: 'JOURNAL_SHARD_ABSENT'; readonly detail: string }
  /** Nothing happened: an append before it is missing; `expected` is the sequence that is taken next. */
  | { readonly code: 'JOURNAL_OUT_OF_ORDER'; readonly expected: number }
  /** Nothing happened: too much is under way, or the replica is behind. */
  | { readonly code: 'JOURNAL_TRY_AGAIN'; readonly detail: string }
  /** It may have happened, or may happen yet. */
  | { readonly code: 'JOURNAL_OUTCOME_UNKNOWN'; readonly detail: string }
  /** Nothing happened: the request is not valid; again it would be the same. */
  | { readonly code: 'JOURNAL_REQUEST_INVALID'; readonly detail: string };

export function writeJournalFault(writer: ProtobufWriter, fault: JournalReplyFault): void {
  writer.text(1, fault.code);
  if ('detail' in fault) writer.text(2, fault.detail);
  switch (fault.code) {
    case 'JOURNAL_NOT_LEADER':
      if (fault.leader !== null) writer.alwaysUint(3, fault.leader);
      writer.text(4, fault.leaderAddress);
      return;
    case 'JOURNAL_OFFSET_TRIMMED':
      writer.uint(5, fault.requested);
      writer.uint(6, fault.oldest);
      return;
    case 'JOURNAL_RECORD_CORRUPT':
      writer.uint(7, fault.first);
      writer.uint(8, fault.after);
      writer.text(9, fault.file);
      writer.uint(10, fault.position);
      return;
    case 'JOURNAL_OUT_OF_ORDER':
      writer.uint(11, fault.expected);
      return;
    case 'JOURNAL_FULL':
      writer.text(12, fault.limit);
      return;
    case 'JOURNAL_IO_FAILED':
      writer.text(12, fault.operation);
      return;
    case 'JOURNAL_FENCED':
    case 'JOURNAL_UNAVAILABLE':
      writer.text(12, fault.shard);
      return;
    default:
  }
}

interface Facts {
  code: string;
  detail: string;
  leader: number | null;
  text: string;
  /** Fields 5 to 8, 10 and 11, in the order of their numbers. */
  readonly numbers: number[];
  about: string;
}

export function readJournalFault(reader: ProtobufReader): JournalReplyFault {
  const facts: Facts = {
    code: '',
    detail: '',
    leader: null,
    text: '',
    numbers: [0, 0, 0, 0, 0, 0],
    about: '',
  };
  while (reader.next()) readFact(reader, facts);
  return faultOf(facts);
}

function readFact(reader: ProtobufReader, facts: Facts): void {
  const { field } = reader;
  if (field === 1) facts.code = reader.text();
  else if (field === 2) facts.detail = reader.text();
  else if (field === 3) facts.leader = reader.uint();
  else if (field === 4 || field === 9) facts.text = reader.text();
  else if (field >= 5 && field <= 8) facts.numbers[field - 5] = reader.uint();
  else if (field === 10) facts.numbers[4] = reader.uint();
  else if (field === 11) facts.numbers[5] = reader.uint();
  else if (field === 12) facts.about = reader.text();
  else reader.skip();
}

function faultOf({ code, detail, leader, text, numbers, about }: Facts): JournalReplyFault {
  const [requested = 0, oldest = 0, first = 0, after = 0, position = 0, expected = 0] = numbers;
  switch (code) {
    case 'JOURNAL_NOT_LEADER':
      return { code, leader, leaderAddress: text };
    case 'JOURNAL_OFFSET_TRIMMED':
      return { code, requested: requested as Offset, oldest: oldest as Offset };
    case 'JOURNAL_RECORD_CORRUPT':
      return { code, file: text, position, first: first as Offset, after: after as Offset };
    case 'JOURNAL_OUT_OF_ORDER':
      return { code, expected };
    case 'JOURNAL_FULL':
      return { code, limit: about === 'disk' ? 'disk' : 'configured', detail };
    case 'JOURNAL_IO_FAILED':
      return { code, operation: operationNamed(about), detail };
    case 'JOURNAL_FENCED':
    case 'JOURNAL_UNAVAILABLE':
      return { code, shard: about, detail };
    case 'JOURNAL_SHARD_ABSENT':
    case 'JOURNAL_TRY_AGAIN':
    case 'JOURNAL_OUTCOME_UNKNOWN':
    case 'JOURNAL_REQUEST_INVALID':
      return { code, detail };
    default:
      // A newer server's: what it means for the outcome is not known here.
      return { code: 'JOURNAL_OUTCOME_UNKNOWN', detail: `${code}: ${detail}` };
  }
}

const OPERATIONS = ['append', 'read', 'trim', 'open'] as const;

function operationNamed(name: string): (typeof OPERATIONS)[number] {
  return OPERATIONS.find((each) => each === name) ?? 'read';
}
