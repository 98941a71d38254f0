/**
 * The frames between nodes, version 1. Big-endian; a u64 holds at most 2^53 - 1.
 *
 *      0   u8    version, 1
 *      1   u8    1 messages, 2 refusal
 *      2   u64   node id of the sender
 *      10  u64   node id of the receiver
 *      18  16 B  cluster: the first bytes of the SHA-256 of the cluster id
 *      34  16 B  member identity of the sender
 *      50        messages until the end, or of a refusal: u8 reason (1 cluster, 2 member) and the
 *                16 bytes of the member identity that is refused
 *
 * A frame without messages is a sign of life. Each message: u8 kind, u32 group, u64 term, then
 *
 *      1  preVoteRequest         u64 last term, u64 last index
 *      2  preVoteResponse        u8 granted
 *      3  voteRequest            u64 last term, u64 last index, u8 transfer
 *      4  voteResponse           u8 granted
 *      5  appendRequest          u64 previous term, u64 previous index, u64 commit index,
 *                                u32 count, entries (entry-codec.ts)
 *      6  appendAccepted         u64 match index
 *      7  appendRejected         u64 previous index, u64 conflict term, u64 conflict index
 *      8  heartbeat              u64 commit index, u64 round, u8 quiesce
 *      9  heartbeatResponse      u64 round
 *      10 snapshotChunk          u64 last term, u64 last index, configuration, u64 offset, u8 done,
 *                                u32 length, data
 *      11 snapshotChunkResponse  u64 snapshot index, u64 next offset
 *      12 timeoutNow
 *      13 readIndexRequest       u64 request id
 *      14 readIndexResponse      u64 request id, u64 index
 *
 * `from` and `to` of a message are those of its frame. Entry and snapshot data are views of it.
 */
import type { NodeId, RaftMessage, Term } from '@robustmq/raft';
import { ByteReader, MalformedError, writeUint32, writeUint53 } from './byte-reader.ts';
import { encodedBodyBytes, MESSAGE_KINDS, readBody, writeBody } from './message-codec.ts';

const VERSION = 1;
const MESSAGES = 1;
const REFUSAL = 2;
const MESSAGE_HEADER_BYTES = 13;
export const FRAME_HEADER_BYTES = 50;
export const IDENTITY_BYTES = 16;

export interface FrameHeader {
  readonly from: NodeId;
  readonly to: NodeId;
  /** 16 bytes each. */
  readonly cluster: Uint8Array;
  readonly member: Uint8Array;
}

export interface GroupMessage {
  readonly groupId: number;
  readonly message: RaftMessage;
}

export type RaftFrame =
  | { readonly kind: 'messages'; readonly header: FrameHeader; readonly messages: GroupMessage[] }
  | {
      readonly kind: 'refusal';
      readonly header: FrameHeader;
      readonly reason: 'otherCluster' | 'otherMember';
      readonly refused: Uint8Array;
    };

export function encodedMessageBytes(message: RaftMessage): number {
  return MESSAGE_HEADER_BYTES + encodedBodyBytes(message);
}

/** @param messageBytes  the sum of `encodedMessageBytes` */
export function encodeMessages(
  header: FrameHeader,
  messages: readonly GroupMessage[],
  messageBytes: number,
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + messageBytes);
  let at = writeHeader(frame, MESSAGES, header);
  for (const { groupId, message } of messages) {
    frame[at] = MESSAGE_KINDS.indexOf(message.kind) + 1;
    at = writeUint32(frame, at + 1, groupId);
    at = writeUint53(frame, at, message.term);
    at = writeBody(frame, at, message);
  }
  return frame;
}

export function encodeRefusal(
  header: FrameHeader,
  reason: 'otherCluster' | 'otherMember',
  refused: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + 1 + IDENTITY_BYTES);
  const at = writeHeader(frame, REFUSAL, header);
  frame[at] = reason === 'otherCluster' ? 1 : 2;
  frame.set(refused, at + 1);
  return frame;
}

/** Throws MalformedError and nothing else, whatever the bytes are. */
export function decodeFrame(frame: Uint8Array): RaftFrame {
  const reader = new ByteReader(frame, 0, frame.length);
  const version = reader.byte();
  if (version !== VERSION) throw new MalformedError(`a frame of version ${version}`);
  const kind = reader.byte();
  const from = reader.uint53() as NodeId;
  const to = reader.uint53() as NodeId;
  const cluster = reader.view(IDENTITY_BYTES);
  const header = { from, to, cluster, member: reader.view(IDENTITY_BYTES) };
  if (kind === MESSAGES)
    return { kind: 'messages', header, messages: readMessages(reader, header) };
  if (kind !== REFUSAL) throw new MalformedError(`a frame of kind ${kind}`);
  const reason = reader.byte();
  if (reason !== 1 && reason !== 2) throw new MalformedError(`a refusal for reason ${reason}`);
  const refused = reader.view(IDENTITY_BYTES);
  reader.expectEnd();
  return {
    kind: 'refusal',
    header,
    reason: reason === 1 ? 'otherCluster' : 'otherMember',
    refused,
  };
}

function writeHeader(frame: Uint8Array, kind: number, header: FrameHeader): number {
  frame[0] = VERSION;
  frame[1] = kind;
  const at = writeUint53(frame, writeUint53(frame, 2, header.from), header.to);
  frame.set(header.cluster, at);
  frame.set(header.member, at + IDENTITY_BYTES);
  return FRAME_HEADER_BYTES;
}

function readMessages(reader: ByteReader, { from, to }: FrameHeader): GroupMessage[] {
  const messages: GroupMessage[] = [];
  while (reader.remaining > 0) {
    const kind = MESSAGE_KINDS[reader.byte() - 1];
    if (kind === undefined) throw new MalformedError('a message of unknown kind');
    const groupId = reader.uint32();
    const term = reader.uint53() as Term;
    messages.push({ groupId, message: readBody(reader, kind, { from, to, term }) });
  }
  return messages;
}
