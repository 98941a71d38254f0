/** The part of a Raft message that depends on its kind; raft-frame.ts has the table. */
import { unreachable } from '@robustmq/errors';
import type { LogIndex, NodeId, RaftMessage, Term } from '@robustmq/raft';
import { type ByteReader, writeUint32, writeUint53 } from './byte-reader.ts';
import {
  encodedConfigurationBytes,
  encodedEntriesBytes,
  ENTRY_ID_BYTES,
  readConfiguration,
  readEntries,
  readEntryId,
  writeConfiguration,
  writeEntry,
  writeEntryId,
} from './entry-codec.ts';

/** A kind's number on the wire is its place here plus one. */
export const MESSAGE_KINDS: readonly RaftMessage['kind'][] = [
  'preVoteRequest',
  'preVoteResponse',
  'voteRequest',
  'voteResponse',
  'appendRequest',
  'appendAccepted',
  'appendRejected',
  'heartbeat',
  'heartbeatResponse',
  'snapshotChunk',
  'snapshotChunkResponse',
  'timeoutNow',
  'readIndexRequest',
  'readIndexResponse',
];

interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

export function encodedBodyBytes(message: RaftMessage): number {
  switch (message.kind) {
    case 'preVoteRequest':
      return ENTRY_ID_BYTES;
    case 'voteRequest':
      return ENTRY_ID_BYTES + 1;
    case 'preVoteResponse':
    case 'voteResponse':
      return 1;
    case 'appendRequest':
      return ENTRY_ID_BYTES + 12 + encodedEntriesBytes(message.entries);
    case 'appendAccepted':
    case 'heartbeatResponse':
    case 'readIndexRequest':
      return 8;
    case 'appendRejected':
      return 8 + ENTRY_ID_BYTES;
    case 'heartbeat':
      return 17;
    case 'snapshotChunk':
      return (
        ENTRY_ID_BYTES +
        encodedConfigurationBytes(message.snapshot.configuration) +
        13 +
        message.data.length
      );
    case 'snapshotChunkResponse':
    case 'readIndexResponse':
      return 16;
    case 'timeoutNow':
      return 0;
    default:
      return unreachable(message);
  }
}

/** @returns the position after it */
export function writeBody(target: Uint8Array, at: number, message: RaftMessage): number {
  switch (message.kind) {
    case 'preVoteRequest':
      return writeEntryId(target, at, message.last);
    case 'voteRequest':
      return writeFlag(target, writeEntryId(target, at, message.last), message.transfer);
    case 'preVoteResponse':
    case 'voteResponse':
      return writeFlag(target, at, message.granted);
    case 'appendRequest':
      return writeAppend(target, at, message);
    case 'appendAccepted':
      return writeUint53(target, at, message.matchIndex);
    case 'appendRejected':
      return writeEntryId(target, writeUint53(target, at, message.previousIndex), message.conflict);
    case 'heartbeat': {
      const after = writeUint53(
        target,
        writeUint53(target, at, message.commitIndex),
        message.round,
      );
      return writeFlag(target, after, message.quiesce);
    }
    case 'heartbeatResponse':
      return writeUint53(target, at, message.round);
    case 'snapshotChunk':
      return writeChunk(target, at, message);
    case 'snapshotChunkResponse':
      return writeUint53(
        target,
        writeUint53(target, at, message.snapshotIndex),
        message.nextOffset,
      );
    case 'timeoutNow':
      return at;
    case 'readIndexRequest':
      return writeUint53(target, at, message.requestId);
    case 'readIndexResponse':
      return writeUint53(target, writeUint53(target, at, message.requestId), message.index);
    default:
      return unreachable(message);
  }
}

/** Throws MalformedError. */
export function readBody(
  reader: ByteReader,
  kind: RaftMessage['kind'],
  address: Addressed,
): RaftMessage {
  const { from, to, term } = address;
  switch (kind) {
    case 'preVoteRequest':
      return { kind, from, to, term, last: readEntryId(reader) };
    case 'voteRequest':
      return { kind, from, to, term, last: readEntryId(reader), transfer: reader.flag() };
    case 'preVoteResponse':
    case 'voteResponse':
      return { kind, from, to, term, granted: reader.flag() };
    case 'appendRequest':
      return readAppend(reader, address);
    case 'appendAccepted':
      return { kind, from, to, term, matchIndex: readIndex(reader) };
    case 'appendRejected': {
      const previousIndex = readIndex(reader);
      return { kind, from, to, term, previousIndex, conflict: readEntryId(reader) };
    }
    case 'heartbeat': {
      const commitIndex = readIndex(reader);
      const round = reader.uint53();
      return { kind, from, to, term, commitIndex, round, quiesce: reader.flag() };
    }
    case 'heartbeatResponse':
      return { kind, from, to, term, round: reader.uint53() };
    case 'snapshotChunk':
      return readChunk(reader, address);
    case 'snapshotChunkResponse': {
      const snapshotIndex = readIndex(reader);
      return { kind, from, to, term, snapshotIndex, nextOffset: reader.uint53() };
    }
    case 'timeoutNow':
      return { kind, from, to, term };
    case 'readIndexRequest':
      return { kind, from, to, term, requestId: reader.uint53() };
    case 'readIndexResponse': {
      const requestId = reader.uint53();
      return { kind, from, to, term, requestId, index: readIndex(reader) };
    }
    default:
      return unreachable(kind);
  }
}

function writeAppend(
  target: Uint8Array,
  start: number,
  message: Extract<RaftMessage, { kind: 'appendRequest' }>,
): number {
  let at = writeEntryId(target, start, message.previous);
  at = writeUint53(target, at, message.commitIndex);
  at = writeUint32(target, at, message.entries.length);
  for (const entry of message.entries) at = writeEntry(target, at, entry);
  return at;
}

function readAppend(reader: ByteReader, address: Addressed): RaftMessage {
  const { from, to, term } = address;
  const previous = readEntryId(reader);
  const commitIndex = readIndex(reader);
  const count = reader.uint32();
  const entries = readEntries(reader, previous.index + 1, count);
  return { kind: 'appendRequest', from, to, term, previous, entries, commitIndex };
}

function writeChunk(
  target: Uint8Array,
  start: number,
  message: Extract<RaftMessage, { kind: 'snapshotChunk' }>,
): number {
  let at = writeEntryId(target, start, message.snapshot.last);
  at = writeConfiguration(target, at, message.snapshot.configuration);
  at = writeUint53(target, at, message.offset);
  at = writeFlag(target, at, message.done);
  at = writeUint32(target, at, message.data.length);
  target.set(message.data, at);
  return at + message.data.length;
}

function readChunk(reader: ByteReader, address: Addressed): RaftMessage {
  const { from, to, term } = address;
  const last = readEntryId(reader);
  const snapshot = { last, configuration: readConfiguration(reader) };
  const offset = reader.uint53();
  const done = reader.flag();
  const data = reader.view(reader.uint32());
  return { kind: 'snapshotChunk', from, to, term, snapshot, offset, data, done };
}

function writeFlag(target: Uint8Array, at: number, flag: boolean): number {
  target[at] = flag ? 1 : 0;
  return at + 1;
}

function readIndex(reader: ByteReader): LogIndex {
  return reader.uint53() as LogIndex;
}
