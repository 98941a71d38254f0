/** Why a journal server can't go on. Codes are API. */
export type JournalServerFaultCode =
  /** Another server refuses this one: it lost its disk, or belongs to another cluster. */
  | 'JOURNAL_SERVER_REFUSED'
  /** A Raft log of this server can't be written or trusted any more. */
  | 'JOURNAL_SERVER_FAILED';

/** The message is a sentence for operators: what is wrong and what to do. */
export class JournalServerError extends Error {
  override readonly name = 'JournalServerError';
  readonly code: JournalServerFaultCode;

  constructor(code: JournalServerFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
