/** Watches: `proto/robustmq/placement/v1/watch.proto`. */
import type { KeyEvent, KeyRange, Revision, WatchBatch, WatchRequest } from '@robustmq/placement';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import { readKeyRange, readKeyValue, required, writeKeyRange, writeKeyValue } from './key-value.ts';

/** A batch as it travels: one too large for a message goes in several. */
export interface WatchMessage extends WatchBatch {
  /** The other events of the batch follow in the next message. */
  readonly more: boolean;
}

export function writeWatchRequest(writer: ProtobufWriter, request: WatchRequest): void {
  writer.message(1, request.range, writeKeyRange);
  writer.uint(2, request.from ?? 0);
  writer.uint(3, request.progressEveryMs ?? 0);
}

export function readWatchRequest(reader: ProtobufReader): WatchRequest {
  let range: KeyRange | null = null;
  let from = 0;
  let progressEveryMs = 0;
  while (reader.next()) {
    if (reader.field === 1) range = reader.message(readKeyRange);
    else if (reader.field === 2) from = reader.uint();
    else if (reader.field === 3) progressEveryMs = reader.uint();
    else reader.skip();
  }
  return {
    range: required(range, 'range'),
    from: from === 0 ? null : (from as Revision),
    progressEveryMs: progressEveryMs === 0 ? null : progressEveryMs,
  };
}

export function writeWatchMessage(writer: ProtobufWriter, message: WatchMessage): void {
  writer.uint(1, message.revision);
  for (const event of message.events) writer.message(2, event, writeKeyEvent);
  writer.bool(3, message.more);
}

export function readWatchMessage(reader: ProtobufReader): WatchMessage {
  let revision = 0;
  const events: KeyEvent[] = [];
  let more = false;
  while (reader.next()) {
    if (reader.field === 1) revision = reader.uint();
    else if (reader.field === 2) events.push(reader.message(readKeyEvent));
    else if (reader.field === 3) more = reader.bool();
    else reader.skip();
  }
  return { revision: revision as Revision, events, more };
}

function writeKeyEvent(writer: ProtobufWriter, event: KeyEvent): void {
  if (event.kind === 'put') writer.message(1, event.keyValue, writeKeyValue);
  else writer.message(2, event, writeDeletedKey);
}

function readKeyEvent(reader: ProtobufReader): KeyEvent {
  let event: KeyEvent | null = null;
  while (reader.next()) {
    if (reader.field === 1) event = { kind: 'put', keyValue: reader.message(readKeyValue) };
    else if (reader.field === 2) event = reader.message(readDeletedKey);
    else reader.skip();
  }
  return required(event, 'the kind of an event');
}

function writeDeletedKey(writer: ProtobufWriter, event: KeyEvent & { kind: 'delete' }): void {
  writer.text(1, event.key);
  writer.uint(2, event.modRevision);
}

function readDeletedKey(reader: ProtobufReader): KeyEvent {
  let key = '';
  let modRevision = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) modRevision = reader.uint();
    else reader.skip();
  }
  return { kind: 'delete', key, modRevision: modRevision as Revision };
}

/** How many bytes the events of one message take at most: well below the limit of a message. */
const EVENT_BYTES_PER_MESSAGE = 1 << 20;

/** Cuts a batch into messages; the one with the last events has `more: false`. */
export function* watchMessagesOf(batch: WatchBatch): Iterable<WatchMessage> {
  const { revision } = batch;
  let events: KeyEvent[] = [];
  let bytes = 0;
  for (const event of batch.events) {
    const size = eventBytes(event);
    if (events.length > 0 && bytes + size > EVENT_BYTES_PER_MESSAGE) {
      yield { revision, events, more: true };
      events = [];
      bytes = 0;
    }
    events.push(event);
    bytes += size;
  }
  yield { revision, events, more: false };
}

/** An upper bound that is cheap to have. */
function eventBytes(event: KeyEvent): number {
  if (event.kind === 'delete') return 3 * event.key.length + 32;
  return 3 * event.keyValue.key.length + event.keyValue.value.length + 64;
}

/** Joins messages into batches again. */
export async function* watchBatchesOf(
  messages: AsyncIterable<WatchMessage>,
): AsyncGenerator<WatchBatch, void, undefined> {
  let events: KeyEvent[] = [];
  for await (const message of messages) {
    events = events.length === 0 ? [...message.events] : events.concat(message.events);
    if (message.more) continue;
    yield { revision: message.revision, events };
    events = [];
  }
}
