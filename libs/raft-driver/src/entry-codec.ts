/**
 * The bytes of an entry, the same on disk and on the wire. Entries stand in a row, so that the
 * index is not written with each.
 *
 *      kind u8 (1 data, 2 noop, 3 membership) | term u64 | body length u32 | body
 *
 * A configuration is four lists (voters, outgoing, learners, learners next), each a u16 count and
 * that many u64. All numbers are big-endian; a u64 holds at most 2^53 - 1.
 */
import { unreachable } from '@robustmq/errors';
import type { Configuration, Entry, EntryId, LogIndex, NodeId, Term } from '@robustmq/raft';
import { type ByteReader, MalformedError, writeUint32, writeUint53 } from './byte-reader.ts';

/** Kind, term and length: what stands before the data of an entry, in files and in frames. */
export const ENTRY_HEADER_BYTES = 13;
const DATA = 1;
const NOOP = 2;
const MEMBERSHIP = 3;

export const ENTRY_ID_BYTES = 16;

export function encodedEntryBytes(entry: Entry): number {
  switch (entry.kind) {
    case 'data':
      return ENTRY_HEADER_BYTES + entry.data.length;
    case 'noop':
      return ENTRY_HEADER_BYTES;
    case 'membership':
      return ENTRY_HEADER_BYTES + encodedConfigurationBytes(entry.configuration);
    default:
      return unreachable(entry);
  }
}

export function encodedEntriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += encodedEntryBytes(entry);
  return bytes;
}

/** @returns the position after the entry */
export function writeEntry(target: Uint8Array, start: number, entry: Entry): number {
  const at = writeUint53(target, start + 1, entry.term);
  switch (entry.kind) {
    case 'data': {
      target[start] = DATA;
      const body = writeUint32(target, at, entry.data.length);
      target.set(entry.data, body);
      return body + entry.data.length;
    }
    case 'noop':
      target[start] = NOOP;
      return writeUint32(target, at, 0);
    case 'membership': {
      target[start] = MEMBERSHIP;
      const body = writeUint32(target, at, encodedConfigurationBytes(entry.configuration));
      return writeConfiguration(target, body, entry.configuration);
    }
    default:
      return unreachable(entry);
  }
}

/** The data of the entry is a view of the source. Throws MalformedError. */
export function readEntry(reader: ByteReader, index: LogIndex): Entry {
  const kind = reader.byte();
  const term = reader.uint53() as Term;
  const length = reader.uint32();
  switch (kind) {
    case DATA:
      return { kind: 'data', term, index, data: reader.view(length) };
    case NOOP:
      if (length !== 0) throw new MalformedError('an empty entry has a body');
      return { kind: 'noop', term, index };
    case MEMBERSHIP: {
      const after = reader.position + length;
      const configuration = readConfiguration(reader);
      if (reader.position !== after) throw new MalformedError('a configuration of another length');
      return { kind: 'membership', term, index, configuration };
    }
    default:
      throw new MalformedError(`an entry of kind ${kind}`);
  }
}

/** Consecutive entries from `first` on. Throws MalformedError. */
export function readEntries(reader: ByteReader, first: number, count: number): Entry[] {
  // Each takes 13 bytes at least: a count from damaged bytes must not reserve memory.
  if (count * ENTRY_HEADER_BYTES > reader.remaining) {
    throw new MalformedError(`${count} entries in ${reader.remaining} bytes`);
  }
  const entries: Entry[] = [];
  for (let i = 0; i < count; i += 1) entries.push(readEntry(reader, (first + i) as LogIndex));
  return entries;
}

export function writeEntryId(target: Uint8Array, at: number, id: EntryId): number {
  return writeUint53(target, writeUint53(target, at, id.term), id.index);
}

export function readEntryId(reader: ByteReader): EntryId {
  const term = reader.uint53() as Term;
  return { term, index: reader.uint53() as LogIndex };
}

export function encodedConfigurationBytes(configuration: Configuration): number {
  let bytes = 0;
  for (const list of listsOf(configuration)) bytes += 2 + list.length * 8;
  return bytes;
}

/** @returns the position after it */
export function writeConfiguration(
  target: Uint8Array,
  start: number,
  configuration: Configuration,
): number {
  let at = start;
  for (const list of listsOf(configuration)) {
    target[at] = list.length >>> 8;
    target[at + 1] = list.length;
    at += 2;
    for (const node of list) at = writeUint53(target, at, node);
  }
  return at;
}

export function readConfiguration(reader: ByteReader): Configuration {
  const voters = readNodes(reader);
  const outgoing = readNodes(reader);
  const learners = readNodes(reader);
  return { voters, outgoing, learners, learnersNext: readNodes(reader) };
}

function readNodes(reader: ByteReader): readonly NodeId[] {
  const count = reader.uint16();
  const nodes: NodeId[] = [];
  for (let i = 0; i < count; i += 1) nodes.push(reader.uint53() as NodeId);
  return nodes;
}

function listsOf(configuration: Configuration): readonly (readonly NodeId[])[] {
  const { voters, outgoing, learners, learnersNext } = configuration;
  return [voters, outgoing, learners, learnersNext];
}
