/**
 * Stores messages at the sequence numbers that they are meant for, and finds out what became of those
 * whose answer was lost.
 *
 * Every message carries the number before its own, which the server checks: a message is stored once, at
 * its place, or not at all. A failed call is repeated until the deadline, after a look at what stands there:
 * our own message (the answer was lost), or another writer's (we have a successor).
 */
import { JournalError } from '@robustmq/journal';
import type { StreamClient } from './stream-client.ts';
import { codeOf, messageOf } from './stream-client.ts';
import { HEADER } from './stream-message.ts';
import type { OutgoingMessage } from './stream-message.ts';

/** Up to so many bytes are under way before the first answer is awaited. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const RETRY_WAIT_MS = 100;
/** Refusals for want of room: of the server, of the account, of the stream. */
const FULL_CODES = new Set([10023, 10047, 10077]);

export interface WriterEnvironment {
  monotonicMs(): number;
  wait(ms: number): Promise<void>;
}

export class StreamWriter {
  readonly #client: StreamClient;
  readonly #stream: string;
  readonly #writer: string;
  readonly #timeoutMs: number;
  readonly #environment: WriterEnvironment;

  /** @param writer  a name that no other writer has */
  constructor(
    client: StreamClient,
    place: { readonly stream: string; readonly writer: string; readonly timeoutMs: number },
    environment: WriterEnvironment,
  ) {
    this.#client = client;
    this.#stream = place.stream;
    this.#writer = place.writer;
    this.#timeoutMs = place.timeoutMs;
    this.#environment = environment;
  }

  /**
   * @throws JournalError JOURNAL_FULL       the servers have no room; nothing was stored
   * @throws JournalError JOURNAL_FENCED     another writer has taken the stream
   * @throws JournalError JOURNAL_IO_FAILED  the deadline passed; the outcome is unknown
   */
  async store(messages: readonly OutgoingMessage[]): Promise<void> {
    const deadlineMs = this.#environment.monotonicMs() + this.#timeoutMs;
    let stored = 0;
    while (stored < messages.length) {
      const window = windowOf(messages, stored);
      const { count, error } = await this.#send(window);
      stored += count;
      if (error === null) continue;
      stored += await this.#resolve(messages.slice(stored), { error, deadlineMs });
      if (stored === 0 && FULL_CODES.has(codeOf(error))) throw full(this.#stream, error);
    }
  }

  /** @returns how many were stored before the first failure */
  async #send(
    messages: readonly OutgoingMessage[],
  ): Promise<{ readonly count: number; readonly error: unknown }> {
    const answers = await Promise.allSettled(
      messages.map((message) => {
        const headers = { ...message.headers, [HEADER.writer]: this.#writer };
        return this.#client.publish(this.#stream, { ...message, headers });
      }),
    );
    const count = answers.findIndex(({ status }) => status === 'rejected');
    if (count < 0) return { count: messages.length, error: null };
    return { count, error: (answers[count] as PromiseRejectedResult).reason };
  }

  /** Looks which of the messages are stored after all. @returns how many */
  async #resolve(
    messages: readonly OutgoingMessage[],
    failure: { readonly error: unknown; readonly deadlineMs: number },
  ): Promise<number> {
    let cause = failure.error;
    while (this.#environment.monotonicMs() < failure.deadlineMs) {
      try {
        return await this.#storedOf(messages);
      } catch (error) {
        if (error instanceof JournalError) throw error;
        cause = error;
      }
      await this.#environment.wait(RETRY_WAIT_MS);
    }
    const detail = `stream ${this.#stream} did not answer in ${this.#timeoutMs} ms: ${messageOf(cause)}`;
    const fault = { code: 'JOURNAL_IO_FAILED', operation: 'append', detail } as const;
    throw new JournalError(fault, { cause });
  }

  async #storedOf(messages: readonly OutgoingMessage[]): Promise<number> {
    let count = 0;
    for (const { seq } of messages) {
      const found = await this.#client.leaderMessage(this.#stream, seq);
      if (found === null) break;
      if (found.header(HEADER.writer) !== this.#writer) {
        const detail = `stream ${this.#stream} has another writer since message ${seq}`;
        throw new JournalError({ code: 'JOURNAL_FENCED', shard: this.#stream, detail });
      }
      count += 1;
    }
    if (count === 0) await this.#environment.wait(RETRY_WAIT_MS);
    return count;
  }
}

function full(stream: string, cause: unknown): JournalError {
  const detail = `the servers refuse more for stream ${stream}: ${messageOf(cause)}`;
  return new JournalError({ code: 'JOURNAL_FULL', limit: 'disk', detail }, { cause });
}

function windowOf(messages: readonly OutgoingMessage[], from: number): readonly OutgoingMessage[] {
  let bytes = 0;
  let after = from;
  while (after < messages.length && (after === from || bytes < WINDOW_BYTES)) {
    bytes += (messages[after] as OutgoingMessage).payload.length;
    after += 1;
  }
  return messages.slice(from, after);
}
