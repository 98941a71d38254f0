/** The counters of the store: one record, rewritten by every command that changes something. */
import type { Revision } from './identifiers.ts';
import { limitsMark, STATE_MACHINE_VERSION, type StateMachineLimits } from './limits.ts';
import { META_RECORD, readSafeInteger, writeSafeInteger } from './record-layout.ts';
import type { RecordReader } from './record-store.ts';

export interface StoreMeta {
  /** Of the newest change. */
  readonly revision: Revision;
  /** History up to and including this revision is forgotten. */
  readonly compactedRevision: Revision;
  /** Where the search for the next lease id begins. */
  readonly nextLease: number;
  readonly keys: number;
  readonly leases: number;
  /** Keys, values, leases and attachments. */
  readonly liveBytes: number;
  /** Of history, since the store began. */
  readonly historyWrittenBytes: number;
  /** Of history up to the compacted revision. */
  readonly historyForgottenBytes: number;
  /** The place of the next request id in the ring. */
  readonly nextOutcome: number;
  /** Of the limits that the first command was applied under, by `limitsMark`; 0 before it. */
  readonly limitsMark: number;
}

export type MutableMeta = { -readonly [Name in keyof StoreMeta]: StoreMeta[Name] };

/** The version and ten numbers. */
const META_BYTES = 81;

/** Of a store without any command. */
export const EMPTY_META: StoreMeta = Object.freeze({
  revision: 0 as Revision,
  compactedRevision: 0 as Revision,
  nextLease: 1,
  keys: 0,
  leases: 0,
  liveBytes: 0,
  historyWrittenBytes: 0,
  historyForgottenBytes: 0,
  nextOutcome: 1,
  limitsMark: 0,
});

/** What counts against `storedBytesMax`. */
export function storedBytes(meta: StoreMeta): number {
  return meta.liveBytes + meta.historyWrittenBytes - meta.historyForgottenBytes;
}

/** Every command reads what the one before it has just written. */
let newest: { readonly bytes: Uint8Array; readonly meta: StoreMeta } | null = null;

/** @param meta  not changed from now on */
export function encodeMeta(meta: StoreMeta): Uint8Array {
  const bytes = new Uint8Array(META_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = STATE_MACHINE_VERSION;
  writeSafeInteger(view, 1, meta.revision);
  writeSafeInteger(view, 9, meta.compactedRevision);
  writeSafeInteger(view, 17, meta.nextLease);
  writeSafeInteger(view, 25, meta.keys);
  writeSafeInteger(view, 33, meta.leases);
  writeSafeInteger(view, 41, meta.liveBytes);
  writeSafeInteger(view, 49, meta.historyWrittenBytes);
  writeSafeInteger(view, 57, meta.historyForgottenBytes);
  writeSafeInteger(view, 65, meta.nextOutcome);
  writeSafeInteger(view, 73, meta.limitsMark);
  newest = { bytes, meta };
  return bytes;
}

/** @throws Error when a version that is not known wrote the record */
export function decodeMeta(bytes: Uint8Array): StoreMeta {
  if (newest !== null && newest.bytes === bytes) return newest.meta;
  if (bytes[0] !== STATE_MACHINE_VERSION || bytes.length !== META_BYTES) {
    const own = `this is version ${STATE_MACHINE_VERSION}`;
    throw new Error(`the placement state has the version ${bytes[0]}, ${own}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    revision: readSafeInteger(view, 1) as Revision,
    compactedRevision: readSafeInteger(view, 9) as Revision,
    nextLease: readSafeInteger(view, 17),
    keys: readSafeInteger(view, 25),
    leases: readSafeInteger(view, 33),
    liveBytes: readSafeInteger(view, 41),
    historyWrittenBytes: readSafeInteger(view, 49),
    historyForgottenBytes: readSafeInteger(view, 57),
    nextOutcome: readSafeInteger(view, 65),
    limitsMark: readSafeInteger(view, 73),
  };
}

/** @throws Error when the state came about under other limits, so that this member would diverge */
export function assertSameLimits(meta: StoreMeta, limits: StateMachineLimits): void {
  if (meta.limitsMark === 0 || meta.limitsMark === limitsMark(limits)) return;
  throw new Error('the placement state came about under other limits of the state machine');
}

/** The counters as the records have them. */
export function metaOf(reader: Pick<RecordReader, 'get'>): StoreMeta {
  const bytes = reader.get(META_RECORD);
  return bytes === undefined ? EMPTY_META : decodeMeta(bytes);
}
