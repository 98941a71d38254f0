/**
 * Makes one request come true over servers that come and go: asks, follows the leader, waits, asks again,
 * until the deadline. Everything that goes through here may happen twice without harm.
 */
import { JournalError, type JournalFault } from '@robustmq/journal';
import { Backoff, type JournalCall, type JournalOutcome } from '@robustmq/rpc';
import type { ClientEnvironment, JournalClientLimits } from './client-environment.ts';
import type { LinkOutcome } from './server-link.ts';
import type { ServerLinks } from './server-links.ts';
import type { ShardRoute } from './shard-route.ts';
import { verdictOn } from './verdict.ts';

/** What every part of a client uses. */
export interface ClientContext extends ClientEnvironment {
  readonly links: ServerLinks;
  readonly limits: JournalClientLimits;
  /** Aborted when the client closes. */
  readonly closing: AbortSignal;
}

/** One request, and how long it may take from now on. */
export interface ShardCallOptions {
  readonly route: ShardRoute;
  /** As the caller names the shard. */
  readonly name: string;
  readonly deadlineMs: number;
}

/** Requests that have one answer, of the kind named. */
export async function callShard<Kind extends JournalOutcome['kind']>(
  context: ClientContext,
  { call, answer }: { readonly call: JournalCall; readonly answer: Kind },
  options: ShardCallOptions,
): Promise<Extract<JournalOutcome, { readonly kind: Kind }>> {
  const outcome = await new Attempts(context, call, options).run();
  if (outcome.kind === answer) {
    return outcome as Extract<JournalOutcome, { readonly kind: Kind }>;
  }
  const detail = `the server answered ${outcome.kind} in place of ${answer}`;
  throw new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard: options.name, detail });
}

class Attempts {
  readonly #context: ClientContext;
  readonly #call: JournalCall;
  readonly #options: ShardCallOptions;
  readonly #untilMs: number;
  readonly #backoff: Backoff;
  readonly #tried = new Set<string>();
  #lastReason = 'no attempt was made';
  #inDoubt = false;
  #attemptMs: number;

  constructor(context: ClientContext, call: JournalCall, options: ShardCallOptions) {
    this.#context = context;
    this.#call = call;
    this.#options = options;
    this.#untilMs = context.clock.monotonicMs() + options.deadlineMs;
    const { pauseFirstMs: firstMs, pauseLongestMs: longestMs, attemptMs } = context.limits;
    this.#backoff = new Backoff({ firstMs, longestMs }, context.random);
    this.#attemptMs = attemptMs;
  }

  async run(): Promise<JournalOutcome> {
    const { route, name } = this.#options;
    for (;;) {
      const leftMs = this.#untilMs - this.#context.clock.monotonicMs();
      if (leftMs <= 0 || this.#context.closing.aborted) throw this.#givenUp();
      const address = route.current();
      const outcome = await this.#attempt(address, Math.min(leftMs, this.#attemptMs));
      // What was heard before says more than that there was no time left for an answer.
      const isTimeUp = this.#context.clock.monotonicMs() >= this.#untilMs;
      if (isTimeUp && outcome.kind === 'lost' && this.#tried.size > 0) throw this.#givenUp();
      const verdict = verdictOn(outcome, name);
      if (verdict.kind === 'done') {
        route.answered(address);
        return outcome as JournalOutcome;
      }
      if (address !== '') this.#tried.add(address);
      if (verdict.kind === 'tell') throw this.#told(verdict.fault);
      if (verdict.kind === 'follow') {
        this.#lastReason = reasonAt(address, verdict.reason);
        if (route.follow(address, verdict.leader)) continue;
      } else if (verdict.kind === 'elsewhere') {
        this.#lastReason = reasonAt(address, verdict.reason);
        this.#inDoubt ||= verdict.inDoubt;
        route.passOver(address);
      }
      await this.#pause();
    }
  }

  /** Settles in time, whether or not the server answers. */
  #attempt(address: string, attemptMs: number): Promise<LinkOutcome> {
    const { links, timers, limits, closing } = this.#context;
    const link = links.linkTo(address);
    return new Promise((resolve) => {
      const settle = (outcome: LinkOutcome): void => {
        timer.cancel();
        closing.removeEventListener('abort', stop);
        request.forget();
        resolve(outcome);
      };
      const silent = `no answer for ${String(Math.ceil(attemptMs))} ms`;
      const timer = timers.after(attemptMs, () => {
        this.#attemptMs = Math.min(2 * this.#attemptMs, limits.attemptLongestMs);
        settle({ kind: 'lost', sent: 'perhaps', detail: silent });
      });
      const stop = (): void =>
        settle({ kind: 'lost', sent: 'perhaps', detail: 'the client was closed' });
      closing.addEventListener('abort', stop, { once: true });
      const shard = this.#options.route.shard;
      const request = link.start({ shard, deadlineMs: attemptMs, call: this.#call }, settle);
    });
  }

  /** "Nothing was written" is told only if no attempt before may have written. */
  #told(fault: JournalFault): JournalError {
    if (!this.#inDoubt || fault.code !== 'JOURNAL_FULL') return new JournalError(fault);
    this.#lastReason = fault.detail;
    return this.#givenUp();
  }

  #givenUp(): JournalError {
    if (this.#context.closing.aborted) return new JournalError({ code: 'JOURNAL_CLOSED' });
    return new JournalError(unavailable(this.#options.name, this.#tried, this.#lastReason));
  }

  #pause(): Promise<void> {
    const leftMs = this.#untilMs - this.#context.clock.monotonicMs();
    const pauseMs = Math.max(0, Math.min(this.#backoff.nextMs(), leftMs));
    return pauseUnless(this.#context, pauseMs);
  }
}

/** What somebody said, or that nobody was there. */
export function reasonAt(address: string, reason: string): string {
  return address === '' ? reason : `${address}: ${reason}`;
}

/** Names the servers tried, and the last reason. */
export function unavailable(
  shard: string,
  tried: ReadonlySet<string>,
  lastReason: string,
): JournalFault {
  const servers = tried.size === 0 ? 'nobody' : [...tried].join(', ');
  return { code: 'JOURNAL_UNAVAILABLE', shard, detail: `tried ${servers}; last: ${lastReason}` };
}

/** Resolves after a time, or as soon as the client closes. */
export function pauseUnless(
  { timers, closing }: Pick<ClientContext, 'timers' | 'closing'>,
  milliseconds: number,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      closing.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.after(milliseconds, end);
    closing.addEventListener('abort', end, { once: true });
    if (closing.aborted) end();
  });
}
