import { MqttClientError } from './client-error.ts';
import type { ConnectionEnd } from './client-error.ts';

interface Waiting<Answer> {
  readonly operation: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: MqttClientError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Operations that wait for an answer with a packet identifier, each with a deadline. */
export class Answers<Answer> {
  readonly #waiting = new Map<number, Waiting<Answer>>();

  /** Waits for the answer to `packetIdentifier`. */
  expect(packetIdentifier: number, operation: string, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(packetIdentifier);
        reject(new MqttClientError({ code: 'CLIENT_TIMED_OUT', operation, timeoutMs }));
      }, timeoutMs);
      this.#waiting.set(packetIdentifier, { operation, resolve, reject, timer });
    });
  }

  /** Hands an answer over; one that nobody waits for (any more) is ignored. */
  settle(packetIdentifier: number, answer: Answer): void {
    const waiting = this.#take(packetIdentifier);
    waiting?.resolve(answer);
  }

  refuse(packetIdentifier: number, error: MqttClientError): void {
    this.#take(packetIdentifier)?.reject(error);
  }

  /** Fails everything that waits: the connection is over. */
  failAll(end: ConnectionEnd): void {
    for (const [packetIdentifier, { operation }] of [...this.#waiting]) {
      this.refuse(packetIdentifier, new MqttClientError({ code: 'CLIENT_CLOSED', operation, end }));
    }
  }

  #take(packetIdentifier: number): Waiting<Answer> | undefined {
    const waiting = this.#waiting.get(packetIdentifier);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(packetIdentifier);
    return waiting;
  }
}
