import type { TimerHandle } from '@robustmq/environment';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { keepAliveDeadlineMs } from '@robustmq/mqtt-session';
import type { BrokerContext } from './broker-context.ts';

const TICK_MS = 1000;
/** How much early a timer may fire. */
const TIMER_SLACK_MS = 5;

/**
 * What has to be done now and then, from one timer: keep alive, the CONNECT deadline, session and
 * will expiry, `$SYS`, checkpoints. One timer for all clients, not one each.
 */
export class Maintenance {
  readonly #context: BrokerContext;
  readonly #everySecond: readonly (() => void)[];
  #timer: TimerHandle | null = null;
  #lastMs = 0;

  constructor(context: BrokerContext, everySecond: readonly (() => void)[]) {
    this.#context = context;
    this.#everySecond = everySecond;
  }

  start(): void {
    const { clock, timers } = this.#context;
    this.#lastMs = clock.monotonicMs();
    this.#timer = timers.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /**
   * Counts on the monotonic clock, so that a jump of the wall clock closes nobody. Two ticks are
   * never less than a second apart: after a stall (a stopped process, a full core) there is one, not
   * many, and what waits in the sockets is heard before the next.
   */
  #tick(): void {
    const context = this.#context;
    const nowMs = context.clock.monotonicMs();
    if (nowMs - this.#lastMs < TICK_MS - TIMER_SLACK_MS) return;
    this.#lastMs = nowMs;
    context.tick += 1;
    this.#closeSilent();
    context.relievePublishers();
    for (const task of this.#everySecond) task();
  }

  #closeSilent(): void {
    const { connections, tick, settings } = this.#context;
    const connectSeconds = Math.ceil(settings.limits.connectTimeoutMs / 1000);
    for (const connection of connections) {
      // The packet heard last may have come just before the tick after the one that it is noted under.
      const silent = tick - connection.lastSeenTick - 1;
      if (connection.session === null) {
        // From the accept on: a slow sender does not gain time by sending.
        if (tick - connection.acceptedTick > connectSeconds) {
          connection.close(ReasonCode.keepAliveTimeout, 'no CONNECT in time');
        }
        continue;
      }
      const { keepAliveSeconds } = connection.terms;
      if (keepAliveSeconds === 0 || connection.isPaused) continue;
      if (silent * TICK_MS >= keepAliveDeadlineMs(keepAliveSeconds)) {
        connection.close(ReasonCode.keepAliveTimeout, 'nothing heard for 1.5 times the keep alive');
      }
    }
  }
}
