/** Entries for a damaged replica: `proto/robustmq/journal/v1/repair.proto`. */
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

/** Consecutive Raft entries of one group. */
export interface ReadEntriesRequest {
  readonly clusterName: string;
  readonly groupId: number;
  readonly from: number;
  /** One below `from` asks for none. */
  readonly through: number;
}

/** Null: some are not there, or damaged there, too. */
export interface ReadEntriesReply {
  readonly entries: Uint8Array | null;
}

export function writeReadEntries(writer: ProtobufWriter, request: ReadEntriesRequest): void {
  writer.text(1, request.clusterName);
  writer.uint(2, request.groupId);
  writer.uint(3, request.from);
  writer.uint(4, request.through);
}

export function readReadEntries(reader: ProtobufReader): ReadEntriesRequest {
  let clusterName = '';
  let groupId = 0;
  let from = 0;
  let through = 0;
  while (reader.next()) {
    if (reader.field === 1) clusterName = reader.text();
    else if (reader.field === 2) groupId = reader.uint();
    else if (reader.field === 3) from = reader.uint();
    else if (reader.field === 4) through = reader.uint();
    else reader.skip();
  }
  return { clusterName, groupId, from, through };
}

export function writeEntriesReply(writer: ProtobufWriter, { entries }: ReadEntriesReply): void {
  if (entries !== null) writer.alwaysBytes(1, entries);
}

export function readEntriesReply(reader: ProtobufReader): ReadEntriesReply {
  let entries: Uint8Array | null = null;
  while (reader.next()) {
    if (reader.field === 1) entries = reader.bytes();
    else reader.skip();
  }
  return { entries };
}
