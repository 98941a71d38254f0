import type { MqttConnection } from './mqtt-connection.ts';

/**
 * Keeps a connection alive (MQTT-5.0 §3.1.2.10): PINGREQ when nothing else was sent, and an end to
 * the connection when PINGRESP does not come within `answerTimeoutMs`.
 */
export class KeepAlive {
  readonly #connection: MqttConnection;
  readonly #intervalMs: number;
  readonly #answerTimeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  #answer: NodeJS.Timeout | undefined;

  constructor(connection: MqttConnection, keepAliveSeconds: number, answerTimeoutMs: number) {
    this.#connection = connection;
    // A tenth early: the server must hear of us within the interval.
    this.#intervalMs = keepAliveSeconds * 900;
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  start(): void {
    if (this.#intervalMs > 0) this.#schedule(this.#intervalMs);
  }

  /** PINGRESP has arrived. */
  answered(): void {
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#answer);
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    const silentMs = performance.now() - this.#connection.lastSentAtMs;
    if (silentMs < this.#intervalMs - 1) {
      this.#schedule(this.#intervalMs - silentMs);
      return;
    }
    this.#connection.send({ kind: 'pingreq' });
    this.#answer ??= setTimeout(() => {
      const reason = `no PINGRESP within ${String(this.#answerTimeoutMs)} ms`;
      this.#connection.destroy({ kind: 'failed', reason });
    }, this.#answerTimeoutMs);
    this.#schedule(this.#intervalMs);
  }
}
