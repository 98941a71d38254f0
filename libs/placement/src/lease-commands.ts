/** Leases: granted for a time, ended by whoever holds them or by the leader's clock. */
import type { Command, CommandResult } from './command.ts';
import type { CommandDraft } from './command-draft.ts';
import type { LeaseId } from './identifiers.ts';
import type { StateMachineLimits } from './limits.ts';
import { readOutcome, rememberOutcome } from './outcomes.ts';
import {
  attachedKey,
  attachmentRecordRange,
  leaseRecord,
  readSafeInteger,
  writeSafeInteger,
} from './record-layout.ts';
import type { RecordReader } from './record-store.ts';

type GrantLease = Extract<Command, { kind: 'grantLease' }>;

/** Identifiers from here on are only for those who choose their own. */
const CHOSEN_FIRST = 2 ** 52;
const LEASE_BYTES = 32;

export function grantLease(
  draft: CommandDraft,
  command: GrantLease,
  limits: StateMachineLimits,
): CommandResult {
  const { requestId, ttlSeconds } = command;
  const known = requestId === null ? null : readOutcome(draft.reader, 'grantLease', requestId);
  if (known !== null) {
    return {
      kind: 'leaseGranted',
      id: known.number as LeaseId,
      ttlSeconds,
      revision: known.revision,
    };
  }
  if (draft.meta.leases >= limits.leasesMax) {
    return { kind: 'refused', refusal: { code: 'LEASES_FULL', limit: limits.leasesMax } };
  }
  const id = command.id ?? nextLease(draft);
  if (leaseExists(draft.reader, id)) {
    return { kind: 'refused', refusal: { code: 'LEASE_EXISTS', lease: id } };
  }
  if (id >= draft.meta.nextLease && id < CHOSEN_FIRST) draft.meta.nextLease = id + 1;
  draft.meta.leases += 1;
  draft.meta.liveBytes += LEASE_BYTES;
  draft.writes.push({ kind: 'put', key: leaseRecord(id), value: encodeTtl(ttlSeconds) });
  const { revision } = draft.meta;
  if (requestId !== null) {
    rememberOutcome(draft, limits, { kind: 'grantLease', requestId, revision, number: id });
  }
  return { kind: 'leaseGranted', id, ttlSeconds, revision };
}

// Invariant: no lease below CHOSEN_FIRST has an id of nextLease or more, so that this one is free.
function nextLease(draft: CommandDraft): LeaseId {
  return draft.meta.nextLease as LeaseId;
}

/** Ends the lease; its keys go in one revision. */
export function revokeLease(draft: CommandDraft, id: LeaseId): CommandResult {
  if (!leaseExists(draft.reader, id)) {
    return { kind: 'refused', refusal: { code: 'LEASE_NOT_FOUND', lease: id } };
  }
  for (const [record] of draft.reader.range(attachmentRecordRange(id))) {
    const keyValue = draft.read(attachedKey(record));
    if (keyValue !== null) draft.delete(keyValue);
  }
  draft.writes.push({ kind: 'delete', key: leaseRecord(id) });
  draft.meta.leases -= 1;
  draft.meta.liveBytes -= LEASE_BYTES;
  return { kind: 'leaseRevoked', revision: draft.meta.revision, deleted: draft.events.length };
}

export function leaseExists(reader: RecordReader, id: LeaseId): boolean {
  return reader.get(leaseRecord(id)) !== undefined;
}

function encodeTtl(ttlSeconds: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeInteger(new DataView(bytes.buffer), 0, ttlSeconds);
  return bytes;
}

/** The time to live that the record of a lease holds. */
export function recordedTtlSeconds(record: Uint8Array): number {
  return readSafeInteger(new DataView(record.buffer, record.byteOffset, record.byteLength), 0);
}
