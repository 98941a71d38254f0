/** Batches of calls on one stream: `proto/robustmq/placement/v1/kv.proto`. */
import type {
  Lease,
  LeaseId,
  LeaseStatus,
  PlacementFault,
  RangeReply,
  RangeRequest,
  Revision,
  Transaction,
  TransactionResult,
} from '@robustmq/placement';
import type { ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';
import type { Codec } from '../contract/method.ts';
import { codecOf } from './codec-of.ts';
import { readFault, writeFault } from './fault.ts';
import {
  readRangeReply,
  readRangeRequest,
  required,
  writeRangeReply,
  writeRangeRequest,
} from './key-value.ts';
import {
  readGrantLease,
  readLease,
  readLeaseRequest,
  readLeaseStatus,
  writeGrantLease,
  writeLease,
  writeLeaseRequest,
  writeLeaseStatus,
} from './lease.ts';
import { replyParts } from './pipeline-parts.ts';
import { readRevision, writeRevision } from './single-key.ts';
import {
  readTransaction,
  readTransactionResult,
  writeTransaction,
  writeTransactionResult,
} from './transaction.ts';

/** One call on the stream. */
export interface PipelineRequest {
  /** Chosen by the client, not in use by another call under way on this stream. */
  readonly id: number;
  /** How long the client waits from now on; 0: as long as the server allows. */
  readonly deadlineMs: number;
  readonly call: PipelineCall;
}

/** What a call asks for. */
export type PipelineCall =
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'transact'; readonly transaction: Transaction }
  | { readonly kind: 'grant'; readonly ttlSeconds: number; readonly requestId: string | null }
  | { readonly kind: 'keep' | 'revoke' | 'readLease'; readonly id: LeaseId }
  | { readonly kind: 'compact'; readonly revision: Revision };

/** The end of one call. */
export interface PipelineReply {
  readonly id: number;
  readonly outcome: PipelineOutcome;
}

/** Of the kind of the call, or a fault. */
export type PipelineOutcome =
  | { readonly kind: 'range'; readonly reply: RangeReply }
  | { readonly kind: 'transact'; readonly result: TransactionResult }
  | { readonly kind: 'grant' | 'keep'; readonly lease: Lease }
  | { readonly kind: 'revoke' | 'compact' }
  | { readonly kind: 'readLease'; readonly status: LeaseStatus }
  | { readonly kind: 'fault'; readonly fault: PlacementFault };

function writePipelineRequests(writer: ProtobufWriter, requests: readonly PipelineRequest[]): void {
  for (const request of requests) writer.message(1, request, writeRequest);
}

function readPipelineRequests(reader: ProtobufReader): readonly PipelineRequest[] {
  const requests: PipelineRequest[] = [];
  while (reader.next()) {
    if (reader.field === 1) requests.push(reader.message(readRequest));
    else reader.skip();
  }
  return requests;
}

function writeRequest(writer: ProtobufWriter, { id, deadlineMs, call }: PipelineRequest): void {
  writer.uint(1, id);
  writer.uint(2, deadlineMs);
  switch (call.kind) {
    case 'range':
      writer.message(3, call.request, writeRangeRequest);
      return;
    case 'transact':
      writer.message(4, call.transaction, writeTransaction);
      return;
    case 'grant':
      writer.message(5, call, writeGrantLease);
      return;
    case 'keep':
      writer.message(6, call, writeLeaseRequest);
      return;
    case 'revoke':
      writer.message(7, call, writeLeaseRequest);
      return;
    case 'readLease':
      writer.message(8, call, writeLeaseRequest);
      return;
    default:
      writer.message(9, call, writeRevision);
  }
}

function readRequest(reader: ProtobufReader): PipelineRequest {
  let id = 0;
  let deadlineMs = 0;
  let call: PipelineCall | null = null;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else if (reader.field === 2) deadlineMs = reader.uint();
    else call = readCall(reader) ?? call;
  }
  return { id, deadlineMs, call: required(call, 'the kind of a call') };
}

function readCall(reader: ProtobufReader): PipelineCall | null {
  switch (reader.field) {
    case 3:
      return { kind: 'range', request: reader.message(readRangeRequest) };
    case 4:
      return { kind: 'transact', transaction: reader.message(readTransaction) };
    case 5:
      return { kind: 'grant', ...reader.message(readGrantLease) };
    case 6:
      return { kind: 'keep', id: reader.message(readLeaseRequest).id };
    case 7:
      return { kind: 'revoke', id: reader.message(readLeaseRequest).id };
    case 8:
      return { kind: 'readLease', id: reader.message(readLeaseRequest).id };
    case 9:
      return { kind: 'compact', revision: reader.message(readRevision).revision };
    default:
      reader.skip();
      return null;
  }
}

function writePipelineReplies(writer: ProtobufWriter, replies: readonly PipelineReply[]): void {
  for (const reply of replies) writer.message(1, reply, writeReply);
}

function readPipelineReplies(reader: ProtobufReader): readonly PipelineReply[] {
  const replies: PipelineReply[] = [];
  while (reader.next()) {
    if (reader.field === 1) replies.push(reader.message(readReply));
    else reader.skip();
  }
  return replies;
}

function writeReply(writer: ProtobufWriter, { id, outcome }: PipelineReply): void {
  writer.uint(1, id);
  switch (outcome.kind) {
    case 'range':
      writer.message(3, outcome.reply, writeRangeReply);
      return;
    case 'transact':
      writer.message(4, outcome.result, writeTransactionResult);
      return;
    case 'grant':
      writer.message(5, outcome.lease, writeLease);
      return;
    case 'keep':
      writer.message(6, outcome.lease, writeLease);
      return;
    case 'revoke':
      writer.message(7, null, writeNothing);
      return;
    case 'readLease':
      writer.message(8, outcome.status, writeLeaseStatus);
      return;
    case 'compact':
      writer.message(9, null, writeNothing);
      return;
    default:
      writer.message(15, outcome.fault, writeFault);
  }
}

function writeNothing(): void {}

function readReply(reader: ProtobufReader): PipelineReply {
  let id = 0;
  let outcome: PipelineOutcome | null = null;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else outcome = readOutcome(reader) ?? outcome;
  }
  return { id, outcome: required(outcome, 'the outcome of a call') };
}

function readOutcome(reader: ProtobufReader): PipelineOutcome | null {
  switch (reader.field) {
    case 3:
      return { kind: 'range', reply: reader.message(readRangeReply) };
    case 4:
      return { kind: 'transact', result: reader.message(readTransactionResult) };
    case 5:
      return { kind: 'grant', lease: reader.message(readLease) };
    case 6:
      return { kind: 'keep', lease: reader.message(readLease) };
    case 7:
      reader.skip();
      return { kind: 'revoke' };
    case 8:
      return { kind: 'readLease', status: reader.message(readLeaseStatus) };
    case 9:
      reader.skip();
      return { kind: 'compact' };
    case 15:
      return { kind: 'fault', fault: reader.message(readFault) };
    default:
      reader.skip();
      return null;
  }
}

/**
 * Batches of calls. Encodings of batches that stand one behind the other are the encoding of one batch:
 * so calls are encoded one by one, and joined when they are sent.
 */
export const pipelineRequestsCodec: Codec<readonly PipelineRequest[]> = codecOf(
  writePipelineRequests,
  readPipelineRequests,
);

const batches = codecOf(writePipelineReplies, readPipelineReplies);

/** Batches of replies, as above. A server that writes a large batch sends several. */
export const pipelineRepliesCodec: Codec<readonly PipelineReply[]> = {
  ...batches,
  parts: (replies) => replyParts(replies, (reply) => batches.encode([reply]).length),
};
