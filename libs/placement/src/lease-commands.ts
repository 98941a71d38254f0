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
import { TouchBudget } from './touch-budget.ts';

type GrantLease = Extract<Command, { kind: 'grantLease' }>;

/** Identifiers from here on are only for those who choose their own. */
const CHOSEN_FIRST = 2 ** 52;
const LEASE_BYTES = 32;
/** The time to live of a lease that has ended while keys are left. */
const ENDED = 0;

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
      repeated: true,
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
  return { kind: 'leaseGranted', id, ttlSeconds, revision, repeated: false };
}

// Invariant: no lease below CHOSEN_FIRST has an id of nextLease or more, so that this one is free.
function nextLease(draft: CommandDraft): LeaseId {
  return draft.meta.nextLease as LeaseId;
}

/** Ends the lease; its keys go in one revision, as far as one command may touch them. */
export function revokeLease(
  draft: CommandDraft,
  id: LeaseId,
  limits: StateMachineLimits,
): CommandResult {
  if (!leaseExists(draft.reader, id)) {
    return { kind: 'refused', refusal: { code: 'LEASE_NOT_FOUND', lease: id } };
  }
  const more = deleteAttached(draft, id, limits);
  if (more) {
    draft.writes.push({ kind: 'put', key: leaseRecord(id), value: encodeTtl(ENDED) });
  } else {
    draft.writes.push({ kind: 'delete', key: leaseRecord(id) });
    draft.meta.leases -= 1;
    draft.meta.liveBytes -= LEASE_BYTES;
  }
  const { revision } = draft.meta;
  return { kind: 'leaseRevoked', revision, deleted: draft.events.length, more };
}

/** Deletes the first keys of the lease, one at least. @returns whether keys are left */
function deleteAttached(draft: CommandDraft, id: LeaseId, limits: StateMachineLimits): boolean {
  const budget = new TouchBudget(limits);
  for (const [record, content] of draft.reader.range(attachmentRecordRange(id))) {
    if (!budget.take(record, content) && draft.events.length > 0) return true;
    const before = draft.readBytes;
    const keyValue = draft.read(attachedKey(record));
    budget.takeBytes(draft.readBytes - before);
    if (keyValue !== null) draft.delete(keyValue);
  }
  // What was loaded may end with the record that exceeds the budget.
  return budget.isExceeded;
}

function leaseExists(reader: RecordReader, id: LeaseId): boolean {
  return reader.get(leaseRecord(id)) !== undefined;
}

/** Whether the lease exists and has not ended. */
export function leaseLives(reader: RecordReader, id: LeaseId): boolean {
  const record = reader.get(leaseRecord(id));
  return record !== undefined && recordedTtlSeconds(record) !== ENDED;
}

function encodeTtl(ttlSeconds: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeInteger(new DataView(bytes.buffer), 0, ttlSeconds);
  return bytes;
}

/** The time to live that the record of a lease holds; 0 when it has ended and only its keys still go. */
export function recordedTtlSeconds(record: Uint8Array): number {
  return readSafeInteger(new DataView(record.buffer, record.byteOffset, record.byteLength), 0);
}
