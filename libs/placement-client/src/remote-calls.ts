/**
 * Makes one call of a `Placement` come true over servers that come and go: asks, follows the leader,
 * waits, asks again, until the deadline.
 */

import type { Clock, RandomSource, Timers } from '@robustmq/environment';
import { type CallOptions, PlacementError, type PlacementFault } from '@robustmq/placement';
import { Backoff, type PipelineCall, type PipelineOutcome } from '@robustmq/rpc';
import { mayRepeat, verdictOn } from './retry-rule.ts';
import type { PlacementServer, PlacementServers } from './placement-server.ts';

/** What time and chance come from. */
export interface ClientEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** Bounds of one client. */
export interface RemoteCallLimits {
  /** LIMIT: callsWaitingMax. One more call fails with PLACEMENT_OVERLOADED. */
  readonly callsWaitingMax: number;
  /** How long one server may take for a call that may be repeated, before another one is asked. */
  readonly attemptMs: number;
  /** Pauses between attempts: double from the first to the longest, each shortened by chance. */
  readonly pauseFirstMs: number;
  readonly pauseLongestMs: number;
  /**
   * LIMIT: attemptsPerSecondMax (of all calls of the client that wait): with many of them pauses are
   * longer than `pauseLongestMs`.
   */
  readonly attemptsPerSecondMax: number;
}

/** For every client that has no reason to differ. */
export const defaultRemoteCallLimits: RemoteCallLimits = {
  callsWaitingMax: 16_384,
  attemptMs: 5_000,
  pauseFirstMs: 20,
  pauseLongestMs: 100,
  attemptsPerSecondMax: 10_000,
};

/** A call of one kind has an outcome of the same kind. */
type OutcomeFor<Call extends PipelineCall> = Extract<
  PipelineOutcome,
  { readonly kind: Call['kind'] extends 'grant' | 'keep' ? 'grant' | 'keep' : Call['kind'] }
>;

/** How often a call goes from one named leader to the next without a pause. */
const HOPS_MAX = 3;

/** The calls of one client; bounded, and each with a deadline. */
export class RemoteCalls {
  readonly #context: AttemptContext;
  readonly #closing = new AbortController();
  #waiting = 0;
  /** Settled when nothing waits after the closing. */
  readonly #idle = Promise.withResolvers<void>();

  constructor(servers: PlacementServers, environment: ClientEnvironment, limits: RemoteCallLimits) {
    const { signal: closing } = this.#closing;
    const waiting = (): number => this.#waiting;
    this.#context = { ...environment, servers, limits, closing, waiting };
  }

  /**
   * @returns the outcome; null: an attempt whose answer was lost had done it
   * @throws PlacementError
   */
  async call<Call extends PipelineCall>(
    call: Call,
    options: CallOptions,
  ): Promise<OutcomeFor<Call> | null> {
    if (this.#closing.signal.aborted) throw new PlacementError({ code: 'PLACEMENT_CLOSED' });
    const { callsWaitingMax } = this.#context.limits;
    if (this.#waiting >= callsWaitingMax) {
      const detail = `${callsWaitingMax} calls wait already`;
      throw new PlacementError({ code: 'PLACEMENT_OVERLOADED', detail });
    }
    this.#waiting += 1;
    try {
      return await new Attempts(call, options, this.#context).run();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && this.#closing.signal.aborted) this.#idle.resolve();
    }
  }

  /** No further call begins and no further attempt; waits for the attempts under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#waiting > 0) await this.#idle.promise;
  }
}

interface AttemptContext extends ClientEnvironment {
  readonly servers: PlacementServers;
  readonly limits: RemoteCallLimits;
  readonly closing: AbortSignal;
  readonly waiting: () => number;
}

/** All attempts of one call. */
class Attempts<Call extends PipelineCall> {
  readonly #call: Call;
  readonly #options: CallOptions;
  readonly #context: AttemptContext;
  readonly #untilMs: number;
  readonly #backoff: Backoff;
  readonly #tried = new Set<string>();
  #lastReason = 'no attempt was made';
  #inDoubt = false;
  #hops = 0;

  constructor(call: Call, options: CallOptions, context: AttemptContext) {
    this.#call = call;
    this.#options = options;
    this.#context = context;
    this.#untilMs = context.clock.monotonicMs() + options.deadlineMs;
    const { pauseFirstMs: firstMs, pauseLongestMs: longestMs } = context.limits;
    this.#backoff = new Backoff({ firstMs, longestMs }, context.random);
  }

  async run(): Promise<OutcomeFor<Call> | null> {
    for (;;) {
      const server = this.#context.servers.current();
      const leftMs = this.#untilMs - this.#context.clock.monotonicMs();
      if (leftMs <= 0 || this.#isGivenUp()) throw this.#givenUp();
      try {
        const options = { deadlineMs: this.#attemptMs(leftMs), signal: this.#options.signal };
        const outcome: PipelineOutcome = await server.call(this.#call, options);
        return outcome as OutcomeFor<Call>;
      } catch (error) {
        if (!(error instanceof PlacementError)) throw error;
        const { fault } = error;
        this.#tried.add(server.address);
        this.#lastReason = `${server.address}: ${error.message}`;
        if (this.#isSettled(server, fault)) return null;
        if (this.#hops === 0) await this.#pause();
      }
    }
  }

  /** A call that may not be repeated has one attempt that counts: it gets all the time there is. */
  #attemptMs(leftMs: number): number {
    return mayRepeat(this.#call) ? Math.min(leftMs, this.#context.limits.attemptMs) : leftMs;
  }

  /** Decides where to ask next. @returns whether the call has happened @throws the fault that ends it */
  #isSettled(server: PlacementServer, fault: PlacementFault): boolean {
    const verdict = verdictOn(this.#call, fault, this.#inDoubt);
    switch (verdict.kind) {
      case 'done':
        return true;
      case 'give up':
        throw new PlacementError(verdict.fault);
      case 'againAfterDoubt':
        this.#inDoubt = true;
        this.#hops = 0;
        this.#context.servers.passOver(server);
        return false;
      default: {
        const isKnown = this.#context.servers.followLeader(server, verdict.leader);
        this.#hops = isKnown && this.#hops < HOPS_MAX ? this.#hops + 1 : 0;
        return false;
      }
    }
  }

  #isGivenUp(): boolean {
    return this.#options.signal?.aborted === true || this.#context.closing.aborted;
  }

  #givenUp(): PlacementError {
    const servers = [...this.#tried].join(', ') || this.#context.servers.addresses.join(', ');
    const detail = `tried ${servers}; last: ${this.#lastReason}`;
    if (this.#inDoubt) return new PlacementError({ code: 'PLACEMENT_OUTCOME_UNKNOWN', detail });
    if (this.#context.closing.aborted) return new PlacementError({ code: 'PLACEMENT_CLOSED' });
    return new PlacementError({ code: 'PLACEMENT_UNAVAILABLE', detail });
  }

  /** Until the next attempt, the deadline or the end of the caller's patience. */
  async #pause(): Promise<void> {
    const leftMs = this.#untilMs - this.#context.clock.monotonicMs();
    const { closing, timers, limits, waiting } = this.#context;
    const shortestMs = (waiting() * 1000) / limits.attemptsPerSecondMax;
    const wantedMs = Math.max(this.#backoff.nextMs(), shortestMs);
    const milliseconds = Math.max(0, Math.min(wantedMs, leftMs));
    const { signal } = this.#options;
    await pauseUnless(signal === null ? [closing] : [closing, signal], milliseconds, timers);
  }
}

/** Resolves after a time, or as soon as one of the signals is aborted. */
export function pauseUnless(
  signals: readonly AbortSignal[],
  milliseconds: number,
  timers: Timers,
): Promise<void> {
  return new Promise((resolve) => {
    const handle = timers.after(milliseconds, end);
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
    if (signals.some((signal) => signal.aborted)) end();
    function end(): void {
      handle.cancel();
      for (const signal of signals) signal.removeEventListener('abort', end);
      resolve();
    }
  });
}
