import type { Branded } from '@robustmq/errors';
import type { RecordBatch } from './journal.ts';
import { isWellFormed } from './record-batch-reader.ts';
import {
  BATCH_HEADER_BYTES,
  batchLengthAt,
  batchRecordCountAt,
  inspectBatch,
} from './record-batch.ts';

/** One whole batch and nothing else: its checksum matches, and its records fill it. */
export type CheckedBatch = Branded<RecordBatch, 'CheckedBatch'>;

/**
 * Looks at bytes that came from outside, once: whoever takes a `CheckedBatch` need not.
 *
 * @returns what is wrong with them, for the one who sent them
 */
export function checkBatch(bytes: Uint8Array): CheckedBatch | string {
  const found = inspectBatch(bytes, 0, bytes.length);
  if (found === 'valid' && batchLengthAt(bytes, 0) === bytes.length) {
    if (!isWellFormed(bytes, 0)) return 'the batch is malformed: its records do not fill it';
    return { bytes, recordCount: batchRecordCountAt(bytes, 0) } as CheckedBatch;
  }
  const size = `${bytes.length} bytes, of which ${BATCH_HEADER_BYTES} are the header`;
  return `the batch arrived damaged (${found === 'valid' ? 'bytes behind its end' : found}; ${size})`;
}
