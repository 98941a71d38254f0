/** One call at a time that may wait for ever, and fails at once when its owner closes. */
import { assert } from '@robustmq/errors';
import { JournalError } from '@robustmq/journal';

export class WaitingCall {
  #reject: ((error: JournalError) => void) | null = null;
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** Settles like `work`, or as JOURNAL_CLOSED once closed. `work` should then end soon, unheard. */
  run<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (this.#closed) return Promise.reject(closedError());
    assert(this.#reject === null, 'one call at a time');
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#reject = reject;
      work().then(resolve, reject);
    });
    return answer.finally(() => {
      this.#reject = null;
    });
  }

  close(): void {
    this.#closed = true;
    this.#reject?.(closedError());
  }
}

function closedError(): JournalError {
  return new JournalError({ code: 'JOURNAL_CLOSED' });
}
