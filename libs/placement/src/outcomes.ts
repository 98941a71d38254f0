/**
 * What commands with a request id did: a ring of the last `outcomesMax`, so that a command sent again
 * after a lost answer is not carried out twice.
 *
 * A refused command changed nothing and is not remembered: sent again, it is judged anew.
 */
import { encodeUtf8 } from '@robustmq/bytes';
import type { CommandDraft } from './command-draft.ts';
import type { Revision } from './identifiers.ts';
import type { StateMachineLimits } from './limits.ts';
import {
  outcomeRecord,
  outcomeRingRecord,
  readSafeInteger,
  writeSafeInteger,
} from './record-layout.ts';
import type { RecordReader } from './record-store.ts';

type OutcomeKind = 'transact' | 'grantLease';

export interface Outcome {
  /** Of the store after the command. */
  readonly revision: Revision;
  /** For a transaction 1 when the comparisons held, else 0; for a lease its id. */
  readonly number: number;
}

interface RememberedOutcome extends Outcome {
  readonly kind: OutcomeKind;
  readonly requestId: string;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function readOutcome(
  reader: RecordReader,
  kind: OutcomeKind,
  requestId: string,
): Outcome | null {
  const record = reader.get(outcomeRecord(kind, requestId));
  if (record === undefined) return null;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return { revision: readSafeInteger(view, 0) as Revision, number: readSafeInteger(view, 8) };
}

/** Remembers an outcome that is not known yet and forgets the oldest when the ring is full. */
export function rememberOutcome(
  draft: CommandDraft,
  limits: StateMachineLimits,
  outcome: RememberedOutcome,
): void {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  writeSafeInteger(view, 0, outcome.revision);
  writeSafeInteger(view, 8, outcome.number);
  const key = outcomeRecord(outcome.kind, outcome.requestId);
  const sequence = draft.meta.nextOutcome;
  draft.meta.nextOutcome = sequence + 1;
  draft.writes.push({ kind: 'put', key, value: bytes });
  draft.writes.push({ kind: 'put', key: outcomeRingRecord(sequence), value: encodeUtf8(key) });
  if (sequence > limits.outcomesMax) forgetOutcome(draft, sequence - limits.outcomesMax);
}

function forgetOutcome(draft: CommandDraft, sequence: number): void {
  const place = outcomeRingRecord(sequence);
  const key = draft.reader.get(place);
  if (key === undefined) return;
  draft.writes.push({ kind: 'delete', key: place });
  draft.writes.push({ kind: 'delete', key: decoder.decode(key) });
}
