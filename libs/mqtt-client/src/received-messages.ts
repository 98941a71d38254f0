import type { ReceivedMessage } from './received-message.ts';

/**
 * Messages between the connection and whoever iterates over them.
 *
 * Bounded: above `messagesMax` the connection is paused, below half of it resumed.
 */
export class ReceivedMessages {
  readonly #messages: ReceivedMessage[] = [];
  readonly #takers: ((message: ReceivedMessage | null) => void)[] = [];
  readonly #messagesMax: number;
  readonly #flow: { readonly pause: () => void; readonly resume: () => void };
  #over = false;

  constructor(
    messagesMax: number,
    flow: { readonly pause: () => void; readonly resume: () => void },
  ) {
    this.#messagesMax = messagesMax;
    this.#flow = flow;
  }

  push(message: ReceivedMessage): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker(message);
      return;
    }
    this.#messages.push(message);
    if (this.#messages.length >= this.#messagesMax) this.#flow.pause();
  }

  /** The next message; null once the connection is over and all were taken. */
  take(): Promise<ReceivedMessage | null> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#messages.length * 2 <= this.#messagesMax) this.#flow.resume();
      return Promise.resolve(message);
    }
    if (this.#over) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }

  end(): void {
    this.#over = true;
    for (const taker of this.#takers.splice(0)) taker(null);
  }
}
