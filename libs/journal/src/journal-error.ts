import { unreachable } from '@robustmq/errors';
import type { Offset } from './journal.ts';

/** Facts about a failure that a caller can act on. Codes are API. */
export type JournalFault =
  /** The disk or the configured limit is full: known outcome, nothing was written. */
  | {
      readonly code: 'JOURNAL_FULL';
      readonly limit: 'disk' | 'configured';
      readonly detail: string;
    }
  /** A flush or write failed: unknown outcome; the shard refuses appends until reopened. */
  | {
      readonly code: 'JOURNAL_IO_FAILED';
      readonly operation: 'append' | 'read' | 'trim' | 'open';
      readonly detail: string;
    }
  | { readonly code: 'JOURNAL_OFFSET_TRIMMED'; readonly requested: Offset; readonly oldest: Offset }
  | {
      readonly code: 'JOURNAL_RECORD_CORRUPT';
      readonly file: string;
      readonly position: number;
      readonly first: Offset;
      readonly after: Offset;
    }
  | { readonly code: 'JOURNAL_CLOSED' }
  /** The writer has a successor: nothing was written, and it must stop. */
  | { readonly code: 'JOURNAL_FENCED'; readonly shard: string; readonly detail: string }
  /** No replica answered in time: the outcome of a write is unknown; try again. */
  | { readonly code: 'JOURNAL_UNAVAILABLE'; readonly shard: string; readonly detail: string };

export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly fault: JournalFault;

  constructor(fault: JournalFault, options?: ErrorOptions) {
    super(describe(fault), options);
    this.fault = fault;
  }
}

function describe(fault: JournalFault): string {
  switch (fault.code) {
    case 'JOURNAL_FULL':
      return `the journal is full (${fault.limit}): ${fault.detail}`;
    case 'JOURNAL_IO_FAILED':
      return `journal ${fault.operation} failed: ${fault.detail}`;
    case 'JOURNAL_OFFSET_TRIMMED':
      return `offset ${fault.requested} is trimmed; the oldest kept is ${fault.oldest}`;
    case 'JOURNAL_RECORD_CORRUPT':
      return `${fault.file} is corrupt at byte ${fault.position}: records ${fault.first} to ${fault.after - 1} cannot be served`;
    case 'JOURNAL_CLOSED':
      return 'the journal is closed';
    case 'JOURNAL_FENCED':
      return `shard ${fault.shard} refuses this writer: ${fault.detail}`;
    case 'JOURNAL_UNAVAILABLE':
      return `shard ${fault.shard} does not answer: ${fault.detail}`;
    default:
      return unreachable(fault);
  }
}
