/**
 * A tail's stream of outcomes from whichever server leads: opened again, from where the tail is, when a
 * server refuses, is lost, or hands over. Shared by both kinds of tails.
 */
import type { TimerHandle } from '@robustmq/environment';
import type { JournalFault } from '@robustmq/journal';
import { Backoff, type ChangesOutcome, type JournalCall, type RecordsOutcome } from '@robustmq/rpc';
import type { LinkOutcome, LinkRequest } from './server-link.ts';
import type { ClientContext } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';
import { verdictOn } from './verdict.ts';

/** The tail. */
export interface SubscriptionPort {
  /** Opens it from where it is, with all its credit. */
  openCall(): Extract<JournalCall, { readonly kind: 'openTail' | 'openKeyedTail' }>;
  take(outcome: RecordsOutcome | ChangesOutcome): void;
  /** The tail can't go on: it was trimmed, or what it reads is corrupt. */
  failed(fault: JournalFault): void;
}

/** Runs from `begin` to `close`. */
export class RemoteSubscription {
  readonly #context: ClientContext;
  readonly #route: ShardRoute;
  readonly #name: string;
  readonly #port: SubscriptionPort;
  readonly #backoff: Backoff;
  #request: LinkRequest | null = null;
  #pause: TimerHandle | null = null;
  #isClosed = false;

  constructor(
    context: ClientContext,
    { route, name }: { readonly route: ShardRoute; readonly name: string },
    port: SubscriptionPort,
  ) {
    this.#context = context;
    this.#route = route;
    this.#name = name;
    this.#port = port;
    const { pauseFirstMs: firstMs, pauseLongestMs: longestMs } = context.limits;
    this.#backoff = new Backoff({ firstMs, longestMs }, context.random);
  }

  begin(): void {
    if (this.#isClosed || this.#context.closing.aborted) return;
    const address = this.#route.current();
    const call = this.#port.openCall();
    const shard = this.#route.shard;
    const request = this.#context.links
      .linkTo(address)
      .start({ shard, deadlineMs: 0, call }, (outcome) => {
        if (this.#request === request) this.#heard(address, outcome);
      });
    this.#request = request;
  }

  /** The tail has used up as much. */
  addCredit(bytes: number): void {
    const request = this.#request;
    if (request !== null) request.say({ kind: 'credit', tail: request.id, bytes });
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.cancel();
    const request = this.#request;
    this.#request = null;
    if (request === null) return;
    request.say({ kind: 'closeTail', tail: request.id });
    request.forget();
  }

  #heard(address: string, outcome: LinkOutcome): void {
    if (outcome.kind === 'records' || outcome.kind === 'changes') {
      this.#backoff.reset();
      this.#route.answered(address);
      this.#port.take(outcome);
      return;
    }
    this.#request = null;
    const verdict = verdictOn(outcome, this.#name);
    switch (verdict.kind) {
      case 'tell':
        this.#port.failed(verdict.fault);
        return;
      case 'follow':
        if (this.#route.follow(address, verdict.leader)) this.begin();
        else this.#beginLater();
        return;
      default:
        this.#route.passOver(address);
        this.#beginLater();
    }
  }

  #beginLater(): void {
    this.#pause = this.#context.timers.after(this.#backoff.nextMs(), () => {
      this.#pause = null;
      this.begin();
    });
  }
}
