/** Leases: `proto/robustmq/placement/v1/lease.proto`. */
import type { Lease, LeaseId, LeaseStatus } from '@robustmq/placement';
import { MalformedMessageError, type ProtobufReader } from '../wire/protobuf-reader.ts';
import type { ProtobufWriter } from '../wire/protobuf-writer.ts';

/** Asks for a lease. */
export interface GrantLeaseRequest {
  readonly ttlSeconds: number;
  /** Sent again under the same id, the request does not begin a second lease. */
  readonly requestId: string | null;
}

/** Names the lease to keep, revoke or read. */
export interface LeaseRequest {
  readonly id: LeaseId;
}

/** Asks for a page of leases. */
export interface ListLeasesRequest {
  /** Only leases with a greater id; null: from the first. */
  readonly after: LeaseId | null;
  /** 0: as many as the server allows. */
  readonly limit: number;
}

/** A page of leases. */
export interface ListLeasesReply {
  readonly leases: readonly Lease[];
  readonly more: boolean;
}

export function writeGrantLease(writer: ProtobufWriter, request: GrantLeaseRequest): void {
  writer.uint(1, request.ttlSeconds);
  if (request.requestId !== null) writer.alwaysText(2, request.requestId);
}

export function readGrantLease(reader: ProtobufReader): GrantLeaseRequest {
  let ttlSeconds = 0;
  let requestId: string | null = null;
  while (reader.next()) {
    if (reader.field === 1) ttlSeconds = reader.uint();
    else if (reader.field === 2) requestId = reader.text();
    else reader.skip();
  }
  return { ttlSeconds, requestId };
}

export function writeLeaseRequest(writer: ProtobufWriter, request: LeaseRequest): void {
  writer.uint(1, request.id);
}

export function readLeaseRequest(reader: ProtobufReader): LeaseRequest {
  let id = 0;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else reader.skip();
  }
  return { id: leaseIdOf(id) };
}

function leaseIdOf(number: number): LeaseId {
  if (number === 0) throw new MalformedMessageError('the id of a lease is missing');
  return number as LeaseId;
}

export function writeLease(writer: ProtobufWriter, lease: Lease): void {
  writer.uint(1, lease.id);
  writer.uint(2, lease.ttlSeconds);
}

export function readLease(reader: ProtobufReader): Lease {
  let id = 0;
  let ttlSeconds = 0;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else if (reader.field === 2) ttlSeconds = reader.uint();
    else reader.skip();
  }
  return { id: leaseIdOf(id), ttlSeconds };
}

export function writeLeaseStatus(writer: ProtobufWriter, status: LeaseStatus): void {
  writer.uint(1, status.id);
  writer.uint(2, status.ttlSeconds);
  writer.double(3, status.remainingSeconds);
  for (const key of status.keys) writer.alwaysText(4, key);
}

export function readLeaseStatus(reader: ProtobufReader): LeaseStatus {
  let id = 0;
  let ttlSeconds = 0;
  let remainingSeconds = 0;
  const keys: string[] = [];
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint();
    else if (reader.field === 2) ttlSeconds = reader.uint();
    else if (reader.field === 3) remainingSeconds = reader.double();
    else if (reader.field === 4) keys.push(reader.text());
    else reader.skip();
  }
  return { id: leaseIdOf(id), ttlSeconds, remainingSeconds, keys };
}

export function writeListLeases(writer: ProtobufWriter, request: ListLeasesRequest): void {
  writer.uint(1, request.after ?? 0);
  writer.uint(2, request.limit);
}

export function readListLeases(reader: ProtobufReader): ListLeasesRequest {
  let after = 0;
  let limit = 0;
  while (reader.next()) {
    if (reader.field === 1) after = reader.uint();
    else if (reader.field === 2) limit = reader.uint();
    else reader.skip();
  }
  return { after: after === 0 ? null : (after as LeaseId), limit };
}

export function writeListLeasesReply(writer: ProtobufWriter, reply: ListLeasesReply): void {
  for (const lease of reply.leases) writer.message(1, lease, writeLease);
  writer.bool(2, reply.more);
}

export function readListLeasesReply(reader: ProtobufReader): ListLeasesReply {
  const leases: Lease[] = [];
  let more = false;
  while (reader.next()) {
    if (reader.field === 1) leases.push(reader.message(readLease));
    else if (reader.field === 2) more = reader.bool();
    else reader.skip();
  }
  return { leases, more };
}
