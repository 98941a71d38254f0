/** Calls on one key: `proto/robustmq/placement/v1/kv.proto`. */
import type { KeyValue, LeaseId, Revision } from '@robustmq/placement';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import { leaseOrNull, readKeyValue, writeKeyValue } from './key-value.ts';

/** Sets one key. */
export interface SetRequest {
  readonly key: string;
  readonly value: Uint8Array;
  readonly lease: LeaseId | null;
}

/** Names one key. */
export interface KeyRequest {
  readonly key: string;
}

/** The store after the call. */
export interface RevisionReply {
  readonly revision: Revision;
}

/** One key, if there is one. */
export interface GetReply extends RevisionReply {
  readonly keyValue: KeyValue | null;
}

/** Whether the key was there. */
export interface PresenceReply extends RevisionReply {
  readonly present: boolean;
}

/** Forgets history. */
export interface CompactRequest {
  readonly revision: Revision;
}

export function writeSet(writer: ProtobufWriter, request: SetRequest): void {
  writer.text(1, request.key);
  writer.bytes(2, request.value);
  writer.uint(3, request.lease ?? 0);
}

export function readSet(reader: ProtobufReader): SetRequest {
  let key = '';
  let value: Uint8Array = new Uint8Array(0);
  let lease = 0;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.bytes();
    else if (reader.field === 3) lease = reader.uint();
    else reader.skip();
  }
  return { key, value, lease: leaseOrNull(lease) };
}

export function writeKey(writer: ProtobufWriter, request: KeyRequest): void {
  writer.text(1, request.key);
}

export function readKey(reader: ProtobufReader): KeyRequest {
  let key = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else reader.skip();
  }
  return { key };
}

/** Of SetReply and CompactRequest: both have a revision only. */
export function writeRevision(writer: ProtobufWriter, reply: RevisionReply): void {
  writer.uint(1, reply.revision);
}

export function readRevision(reader: ProtobufReader): RevisionReply {
  let revision = 0;
  while (reader.next()) {
    if (reader.field === 1) revision = reader.uint();
    else reader.skip();
  }
  return { revision: revision as Revision };
}

export function writeGetReply(writer: ProtobufWriter, reply: GetReply): void {
  if (reply.keyValue !== null) writer.message(1, reply.keyValue, writeKeyValue);
  writer.uint(2, reply.revision);
}

export function readGetReply(reader: ProtobufReader): GetReply {
  let keyValue: KeyValue | null = null;
  let revision = 0;
  while (reader.next()) {
    if (reader.field === 1) keyValue = reader.message(readKeyValue);
    else if (reader.field === 2) revision = reader.uint();
    else reader.skip();
  }
  return { keyValue, revision: revision as Revision };
}

/** Of DeleteReply and ExistsReply. */
export function writePresence(writer: ProtobufWriter, reply: PresenceReply): void {
  writer.bool(1, reply.present);
  writer.uint(2, reply.revision);
}

export function readPresence(reader: ProtobufReader): PresenceReply {
  let present = false;
  let revision = 0;
  while (reader.next()) {
    if (reader.field === 1) present = reader.bool();
    else if (reader.field === 2) revision = reader.uint();
    else reader.skip();
  }
  return { present, revision: revision as Revision };
}
