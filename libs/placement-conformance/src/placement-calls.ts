/** Calls as tests write them, and what came of them. */
import {
  type CallOptions,
  type Comparison,
  type DeleteOperation,
  type KeyEvent,
  type KeyRange,
  type KeyValue,
  type LeaseId,
  type Operation,
  type Placement,
  PlacementError,
  prefixRange,
  type PutOperation,
  type RangeReply,
  type Revision,
  singleKeyRange,
  type TransactionResult,
  type Watch,
  type WatchBatch,
} from '@robustmq/placement';

export const CALL: CallOptions = { deadlineMs: 10_000, signal: null };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : decoder.decode(bytes);
}

export function put(key: string, text: string, lease: LeaseId | null = null): PutOperation {
  return { kind: 'put', key, value: bytesOf(text), lease };
}

export function deletionOf(key: string): DeleteOperation {
  return { kind: 'delete', range: singleKeyRange(key) };
}

/** Holds as long as the key does not exist. */
export function absent(key: string): Comparison {
  return { target: 'createRevision', key, relation: 'equal', number: 0 };
}

/** Carries the operations out, if every comparison holds. */
export function perform(
  placement: Placement,
  then: readonly Operation[],
  compare: readonly Comparison[] = [],
): Promise<TransactionResult> {
  return placement.transact({ compare, then, otherwise: [], requestId: null }, CALL);
}

export async function putText(placement: Placement, key: string, text: string): Promise<Revision> {
  return (await perform(placement, [put(key, text)])).revision;
}

/** The key as it stands, or null. */
export async function readKey(placement: Placement, key: string): Promise<KeyValue | null> {
  const reply = await readRange(placement, singleKeyRange(key));
  return reply.keyValues[0] ?? null;
}

export function readPrefix(placement: Placement, prefix: string): Promise<RangeReply> {
  return readRange(placement, prefixRange(prefix));
}

export function readRange(placement: Placement, range: KeyRange): Promise<RangeReply> {
  const request = { range, limit: 0, content: 'whole', consistency: 'linearizable' } as const;
  return placement.range(request, CALL);
}

/** The fault that the promise rejects with; null when it does not. Other errors pass through. */
export async function faultOf(promise: Promise<unknown>): Promise<PlacementError['fault'] | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof PlacementError) return error.fault;
    throw error;
  }
}

/** Reads batches until so many events came; then cancels. */
export async function takeEvents(watch: Watch, count: number): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = [];
  let events = 0;
  for await (const batch of watch) {
    batches.push(batch);
    events += batch.events.length;
    if (events >= count) break;
  }
  watch.cancel();
  return batches;
}

export function eventsOf(batches: readonly WatchBatch[]): readonly KeyEvent[] {
  return batches.flatMap((batch) => batch.events);
}

export function revisionOf(event: KeyEvent): Revision {
  return event.kind === 'put' ? event.keyValue.modRevision : event.modRevision;
}

/** `key=value@revision` or `-key@revision` of each event, for comparing. */
export function eventText(event: KeyEvent): string {
  if (event.kind === 'delete') return `-${event.key}@${event.modRevision}`;
  const { key, value, modRevision } = event.keyValue;
  return `${key}=${decoder.decode(value)}@${modRevision}`;
}
