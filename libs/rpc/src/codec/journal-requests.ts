/** What a client says to a journal server: `proto/robustmq/journal/v1/journal.proto`. */
import {
  type AppendAcknowledgement,
  INDEXED_ATTRIBUTES,
  type IndexedAttribute,
  type KeyedWrite,
  type Offset,
  type ProducerName,
} from '@robustmq/journal';
import type { Codec } from '../contract/method.ts';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import { codecOf } from './codec-of.ts';
import { readKeyedWrite, readProducer, writeKeyedWrite, writeProducer } from './journal-parts.ts';
import { nameOf, required } from './key-value.ts';

/** One request on the stream. */
export interface JournalRequest {
  /** Chosen by the client, ascending on one stream. */
  readonly id: number;
  /** As `namespace/shard`; empty for `credit` and `closeTail`. */
  readonly shard: string;
  /** How long the client waits from now on; 0: as long as the server allows. */
  readonly deadlineMs: number;
  readonly call: JournalCall;
}

/** Which records are wanted; as data, so that a server can skip the others. */
export type WireSelector =
  | { readonly kind: 'everything' }
  | {
      readonly kind: 'some';
      readonly topics: readonly string[];
      /** Topic filters as in MQTT-5.0 §4.7, without a share name. */
      readonly filters: readonly string[];
    }
  | {
      readonly kind: 'attribute';
      readonly attribute: IndexedAttribute;
      readonly value: Uint8Array;
    };

/** A batch to append, and what keeps it in order and single. */
export interface AppendCall {
  readonly kind: 'append';
  readonly producer: ProducerName;
  /** Per incarnation and shard 1, 2, 3 …; never 0. */
  readonly sequence: number;
  readonly acknowledgement: AppendAcknowledgement;
  /** Appends from here on up to this one may be lost; 0: none may. */
  readonly mayMissFrom: number;
  /** As decoded a part of what was received. */
  readonly batch: Uint8Array;
}

/** What a request asks for. */
export type JournalCall =
  | AppendCall
  | {
      readonly kind: 'committed';
      /** Of the shard; 0: any. */
      readonly life: number;
    }
  | { readonly kind: 'revision' }
  | {
      readonly kind: 'read';
      readonly from: Offset;
      readonly selector: WireSelector;
      readonly recordsMax: number;
      readonly bytesMax: number;
      /** The replica waits until it has everything below. */
      readonly committedSeen: Offset;
    }
  | { readonly kind: 'readAt'; readonly offset: Offset; readonly committedSeen: Offset }
  | { readonly kind: 'offsetAt'; readonly atMs: number }
  | { readonly kind: 'trim'; readonly before: Offset }
  | { readonly kind: 'fence'; readonly producer: ProducerName }
  | {
      readonly kind: 'openTail';
      readonly from: Offset;
      readonly selector: WireSelector;
      readonly creditBytes: number;
    }
  | { readonly kind: 'credit'; readonly tail: number; readonly bytes: number }
  | { readonly kind: 'closeTail'; readonly tail: number }
  | { readonly kind: 'writeKeys'; readonly writes: readonly KeyedWrite[] }
  | { readonly kind: 'claimKey'; readonly key: string; readonly fence: number }
  | { readonly kind: 'readKey'; readonly key: string }
  | { readonly kind: 'listKeys'; readonly after: string | null; readonly limit: number }
  | { readonly kind: 'openKeyedTail'; readonly after: number; readonly creditBytes: number };

const ACKNOWLEDGEMENTS = ['all-synced', 'leader', 'memory'] as const;

function writeRequests(writer: ProtobufWriter, requests: readonly JournalRequest[]): void {
  for (const request of requests) writer.message(1, request, writeRequest);
}

function readRequests(reader: ProtobufReader): readonly JournalRequest[] {
  const requests: JournalRequest[] = [];
  while (reader.next()) {
    if (reader.field === 1) requests.push(reader.message(readRequest));
    else reader.skip();
  }
  return requests;
}

function writeRequest(writer: ProtobufWriter, request: JournalRequest): void {
  writer.uint(1, request.id);
  writer.text(2, request.shard);
  writer.uint(3, request.deadlineMs);
  writeCall(writer, request.call);
}

function readRequest(reader: ProtobufReader): JournalRequest {
  let id = 0;
  let shard = '';
  let deadlineMs = 0;
  let call: JournalCall | null = null;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else if (reader.field === 2) shard = reader.text();
    else if (reader.field === 3) deadlineMs = reader.uint();
    else call = readCall(reader) ?? call;
  }
  return { id, shard, deadlineMs, call: required(call, 'the kind of a request') };
}

function writeCall(writer: ProtobufWriter, call: JournalCall): void {
  switch (call.kind) {
    case 'append':
      return writer.message(4, call, writeAppend);
    case 'committed':
      return writer.message(5, [call.life], writeNumbers);
    case 'read':
      return writer.message(6, call, writeRead);
    case 'readAt':
      return writer.message(7, [call.offset, call.committedSeen], writeNumbers);
    case 'offsetAt':
      return writer.message(8, [call.atMs], writeNumbers);
    case 'trim':
      return writer.message(9, [call.before], writeNumbers);
    case 'fence':
      return writer.message(10, call.producer, writeFencedProducer);
    case 'openTail':
      return writer.message(11, call, writeOpenTail);
    case 'credit':
      return writer.message(12, [call.tail, call.bytes], writeNumbers);
    case 'closeTail':
      return writer.message(13, [call.tail], writeNumbers);
    case 'writeKeys':
      return writer.message(14, call.writes, writeWrites);
    case 'claimKey':
      return writer.message(15, call, writeKeyCall);
    case 'readKey':
      return writer.message(16, { key: call.key, fence: 0 }, writeKeyCall);
    case 'listKeys':
      return writer.message(17, call, writeListKeys);
    case 'revision':
      return writer.message(18, call, writeNothing);
    default:
      return writer.message(19, [call.after, call.creditBytes], writeNumbers);
  }
}

function readCall(reader: ProtobufReader): JournalCall | null {
  switch (reader.field) {
    case 4:
      return reader.message(readAppend);
    case 6:
      return reader.message(readRead);
    case 11:
      return reader.message(readOpenTail);
    case 10:
      return { kind: 'fence', producer: reader.message(readFencedProducer) };
    case 14:
      return { kind: 'writeKeys', writes: reader.message(readWrites) };
    case 15:
      return { kind: 'claimKey', ...reader.message(readKeyCall) };
    case 16:
      return { kind: 'readKey', key: reader.message(readKeyCall).key };
    case 17:
      return reader.message(readListKeys);
    case 18:
      reader.skip();
      return { kind: 'revision' };
    default:
      return readNumbersCall(reader);
  }
}

/** Of the calls that are one or two numbers. */
function readNumbersCall(reader: ProtobufReader): JournalCall | null {
  const { field } = reader;
  const isOne =
    field === 5 || field === 7 || field === 8 || field === 9 || field === 12 || field === 13;
  if (!isOne && field !== 19) {
    reader.skip();
    return null;
  }
  const [first, second] = reader.message(readNumbers);
  switch (field) {
    case 5:
      return { kind: 'committed', life: first };
    case 7:
      return { kind: 'readAt', offset: first as Offset, committedSeen: second as Offset };
    case 8:
      return { kind: 'offsetAt', atMs: first };
    case 9:
      return { kind: 'trim', before: first as Offset };
    case 12:
      return { kind: 'credit', tail: first, bytes: second };
    case 13:
      return { kind: 'closeTail', tail: first };
    default:
      return { kind: 'openKeyedTail', after: first, creditBytes: second };
  }
}

function writeNothing(): void {}

/** Fields 1, 2, …, in order. */
function writeNumbers(writer: ProtobufWriter, numbers: readonly number[]): void {
  for (let at = 0; at < numbers.length; at += 1) writer.uint(at + 1, numbers[at] as number);
}

function readNumbers(reader: ProtobufReader): readonly [number, number] {
  let first = 0;
  let second = 0;
  while (reader.next()) {
    if (reader.field === 1) first = reader.uint();
    else if (reader.field === 2) second = reader.uint();
    else reader.skip();
  }
  return [first, second];
}

function writeAppend(writer: ProtobufWriter, call: AppendCall): void {
  writer.message(1, call.producer, writeProducer);
  writer.uint(2, call.sequence);
  writer.uint(3, ACKNOWLEDGEMENTS.indexOf(call.acknowledgement));
  writer.bytes(4, call.batch);
  writer.uint(5, call.mayMissFrom);
}

function readAppend(reader: ProtobufReader): AppendCall {
  let producer: ProducerName | null = null;
  let sequence = 0;
  let acknowledgement = 0;
  let mayMissFrom = 0;
  let batch: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) producer = reader.message(readProducer);
    else if (reader.field === 2) sequence = reader.uint();
    else if (reader.field === 3) acknowledgement = reader.uint();
    else if (reader.field === 4) batch = reader.view();
    else if (reader.field === 5) mayMissFrom = reader.uint();
    else reader.skip();
  }
  return {
    kind: 'append',
    producer: required(producer, 'the producer of an append'),
    sequence,
    acknowledgement: nameOf(ACKNOWLEDGEMENTS, acknowledgement),
    mayMissFrom,
    batch,
  };
}

type ReadCall = Extract<JournalCall, { readonly kind: 'read' }>;
type OpenTailCall = Extract<JournalCall, { readonly kind: 'openTail' }>;
type ListKeysCall = Extract<JournalCall, { readonly kind: 'listKeys' }>;

function writeRead(writer: ProtobufWriter, call: ReadCall): void {
  writer.uint(1, call.from);
  writer.message(2, call.selector, writeSelector);
  writer.uint(3, call.recordsMax);
  writer.uint(4, call.bytesMax);
  writer.uint(5, call.committedSeen);
}

function readRead(reader: ProtobufReader): ReadCall {
  let from = 0;
  let selector: WireSelector = { kind: 'everything' };
  let recordsMax = 0;
  let bytesMax = 0;
  let committedSeen = 0;
  while (reader.next()) {
    if (reader.field === 1) from = reader.uint();
    else if (reader.field === 2) selector = reader.message(readSelector);
    else if (reader.field === 3) recordsMax = reader.uint();
    else if (reader.field === 4) bytesMax = reader.uint();
    else if (reader.field === 5) committedSeen = reader.uint();
    else reader.skip();
  }
  return {
    kind: 'read',
    from: from as Offset,
    selector,
    recordsMax,
    bytesMax,
    committedSeen: committedSeen as Offset,
  };
}

function writeOpenTail(writer: ProtobufWriter, call: OpenTailCall): void {
  writer.uint(1, call.from);
  writer.message(2, call.selector, writeSelector);
  writer.uint(3, call.creditBytes);
}

function readOpenTail(reader: ProtobufReader): OpenTailCall {
  let from = 0;
  let selector: WireSelector = { kind: 'everything' };
  let creditBytes = 0;
  while (reader.next()) {
    if (reader.field === 1) from = reader.uint();
    else if (reader.field === 2) selector = reader.message(readSelector);
    else if (reader.field === 3) creditBytes = reader.uint();
    else reader.skip();
  }
  return { kind: 'openTail', from: from as Offset, selector, creditBytes };
}

function writeSelector(writer: ProtobufWriter, selector: WireSelector): void {
  if (selector.kind === 'everything') return;
  if (selector.kind === 'attribute') {
    writer.uint(4, INDEXED_ATTRIBUTES.indexOf(selector.attribute) + 1);
    writer.bytes(5, selector.value);
    return;
  }
  writer.bool(1, true);
  for (const topic of selector.topics) writer.alwaysText(2, topic);
  for (const filter of selector.filters) writer.alwaysText(3, filter);
}

function readSelector(reader: ProtobufReader): WireSelector {
  let isSome = false;
  const topics: string[] = [];
  const filters: string[] = [];
  let attribute: IndexedAttribute | undefined;
  let value: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) isSome = reader.bool();
    else if (reader.field === 2) topics.push(reader.text());
    else if (reader.field === 3) filters.push(reader.text());
    else if (reader.field === 4) attribute = INDEXED_ATTRIBUTES[reader.uint() - 1];
    else if (reader.field === 5) value = reader.bytes();
    else reader.skip();
  }
  if (attribute !== undefined) return { kind: 'attribute', attribute, value };
  return isSome ? { kind: 'some', topics, filters } : { kind: 'everything' };
}

function writeFencedProducer(writer: ProtobufWriter, producer: ProducerName): void {
  writer.message(1, producer, writeProducer);
}

function readFencedProducer(reader: ProtobufReader): ProducerName {
  let producer: ProducerName | null = null;
  while (reader.next()) {
    if (reader.field === 1) producer = reader.message(readProducer);
    else reader.skip();
  }
  return required(producer, 'the producer to fence');
}

function writeWrites(writer: ProtobufWriter, writes: readonly KeyedWrite[]): void {
  for (const write of writes) writer.message(1, write, writeKeyedWrite);
}

function readWrites(reader: ProtobufReader): readonly KeyedWrite[] {
  const writes: KeyedWrite[] = [];
  while (reader.next()) {
    if (reader.field === 1) writes.push(reader.message(readKeyedWrite));
    else reader.skip();
  }
  return writes;
}

interface KeyCall {
  readonly key: string;
  readonly fence: number;
}

function writeKeyCall(writer: ProtobufWriter, { key, fence }: KeyCall): void {
  writer.text(1, key);
  writer.uint(2, fence);
}

function readKeyCall(reader: ProtobufReader): KeyCall {
  let key = '';
  let fence = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) fence = reader.uint();
    else reader.skip();
  }
  return { key, fence };
}

function writeListKeys(writer: ProtobufWriter, { after, limit }: ListKeysCall): void {
  if (after !== null) writer.alwaysText(1, after);
  writer.uint(2, limit);
}

function readListKeys(reader: ProtobufReader): ListKeysCall {
  let after: string | null = null;
  let limit = 0;
  while (reader.next()) {
    if (reader.field === 1) after = reader.text();
    else if (reader.field === 2) limit = reader.uint();
    else reader.skip();
  }
  return { kind: 'listKeys', after, limit };
}

/**
 * Batches of requests. Encodings that stand one behind the other are the encoding of one batch: so
 * requests are encoded one by one, and joined when they are sent.
 */
export const journalRequestsCodec: Codec<readonly JournalRequest[]> = codecOf(
  writeRequests,
  readRequests,
);
