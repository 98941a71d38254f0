import { JournalError } from '@robustmq/journal';

/** What a failure of the medium means to a caller of the journal. */
export function mediumFault(
  error: unknown,
  operation: 'append' | 'read' | 'trim' | 'open',
): JournalError {
  if (error instanceof JournalError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new JournalError({ code: 'JOURNAL_IO_FAILED', operation, detail }, { cause: error });
}
