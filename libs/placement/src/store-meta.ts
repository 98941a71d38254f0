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

const FIELDS = [
  'revision',
  'compactedRevision',
  'nextLease',
  'keys',
  'leases',
  'liveBytes',
  'historyWrittenBytes',
  'historyForgottenBytes',
  'nextOutcome',
  'limitsMark',
] as const satisfies readonly (keyof StoreMeta)[];
const META_BYTES = 1 + 8 * FIELDS.length;

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

export function encodeMeta(meta: StoreMeta): Uint8Array {
  const bytes = new Uint8Array(META_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = STATE_MACHINE_VERSION;
  for (let i = 0; i < FIELDS.length; i += 1) {
    writeSafeInteger(view, 1 + 8 * i, meta[FIELDS[i] as keyof StoreMeta]);
  }
  return bytes;
}

/** @throws Error when a version that is not known wrote the record */
export function decodeMeta(bytes: Uint8Array): StoreMeta {
  if (bytes[0] !== STATE_MACHINE_VERSION || bytes.length !== META_BYTES) {
    const own = `this is version ${STATE_MACHINE_VERSION}`;
    throw new Error(`the placement state has the version ${bytes[0]}, ${own}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const meta: { -readonly [Name in keyof StoreMeta]: number } = { ...EMPTY_META };
  for (let i = 0; i < FIELDS.length; i += 1) {
    meta[FIELDS[i] as keyof StoreMeta] = readSafeInteger(view, 1 + 8 * i);
  }
  return meta as StoreMeta;
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
