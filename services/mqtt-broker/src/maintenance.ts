import { ReasonCode } from '@robustmq/mqtt-codec';
import { keepAliveDeadlineMs } from '@robustmq/mqtt-session';
import type { BrokerContext } from './broker-context.ts';

const TICK_MS = 1000;

/**
 * What has to be done now and then, from one timer: keep alive, the CONNECT deadline, session and
 * will expiry, `$SYS`, checkpoints. One timer for all clients, not one each.
 */
export class Maintenance {
  readonly #context: BrokerContext;
  readonly #everySecond: readonly (() => void)[];
  #timer: NodeJS.Timeout | null = null;
  #lastMs = 0;

  constructor(context: BrokerContext, everySecond: readonly (() => void)[]) {
    this.#context = context;
    this.#everySecond = everySecond;
  }

  start(): void {
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Counts on the monotonic clock, so that a jump of the wall clock closes nobody. */
  #tick(): void {
    const context = this.#context;
    const nowMs = performance.now();
    const passed = Math.floor((nowMs - this.#lastMs) / TICK_MS);
    if (passed < 1) return;
    this.#lastMs += passed * TICK_MS;
    // After a stall (a stopped process, a full core) everybody gets one more second to be heard.
    context.tick += Math.min(passed, 2);
    this.#closeSilent();
    context.relievePublishers();
    for (const task of this.#everySecond) task();
  }

  #closeSilent(): void {
    const { connections, tick, settings } = this.#context;
    const connectSeconds = Math.ceil(settings.limits.connectTimeoutMs / 1000);
    for (const connection of connections) {
      const silent = tick - connection.lastSeenTick;
      if (connection.session === null) {
        // From the accept on: a slow sender does not gain time by sending.
        if (tick - connection.acceptedTick > connectSeconds) {
          connection.close(ReasonCode.keepAliveTimeout, 'no CONNECT in time');
        }
        continue;
      }
      const { keepAliveSeconds } = connection.terms;
      if (keepAliveSeconds === 0 || connection.isPaused) continue;
      if (silent * 1000 > keepAliveDeadlineMs(keepAliveSeconds)) {
        connection.close(ReasonCode.keepAliveTimeout, 'nothing heard for 1.5 times the keep alive');
      }
    }
  }
}
