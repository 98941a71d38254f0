/**
 * The writes and claims of one client to one keyed shard, in the order of the calls, across changes of
 * the leader.
 *
 * They carry no sequence, and two writes of one key under one fence replace each other: one that is
 * repeated must never come after a later one. So answers count only in order, and after a failure
 * everything without an answer that counted is sent again, from the first on.
 */
import type { TimerHandle } from '@robustmq/environment';
import { JournalError, type JournalFault } from '@robustmq/journal';
import { Backoff, type JournalCall, type JournalOutcome } from '@robustmq/rpc';
import type { LinkOutcome, LinkRequest } from './server-link.ts';
import { type ClientContext, reasonAt, unavailable } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';
import { type Verdict, verdictOn } from './verdict.ts';

/** LIMIT: keyedCallsInFlightMax (of one client on one keyed shard); the next ones wait. */
const keyedCallsInFlightMax = 1_000;
/** LIMIT: keyedCallsWaitingMax (of one client on one keyed shard): one more fails with JOURNAL_FULL. */
const keyedCallsWaitingMax = 65_536;
/** How often deadlines and silence are looked at. */
const CHECK_MS = 50;

/** What takes its turn. */
export type KeyedLaneCall = Extract<JournalCall, { readonly kind: 'writeKeys' | 'claimKey' }>;

interface PendingCall {
  readonly call: KeyedLaneCall;
  readonly deadlineAtMs: number;
  readonly resolve: (outcome: JournalOutcome) => void;
  readonly reject: (error: JournalError) => void;
  /** It may have been carried out by an attempt whose answer is lost. */
  inDoubt: boolean;
  request: LinkRequest | null;
  /** What came before the answers to those in front. */
  heard: LinkOutcome | null;
}

/** One per keyed shard and client. */
export class KeyedLane {
  readonly #context: ClientContext;
  readonly #route: ShardRoute;
  readonly #name: string;
  readonly #backoff: Backoff;
  readonly #tried = new Set<string>();
  /** In the order of the calls. Those before `#sent` are in flight. */
  #queue: PendingCall[] = [];
  #sent = 0;
  #address = '';
  /** Answers to earlier attempts mean nothing any more. */
  #attempt = 0;
  #attemptMs: number;
  #heardAtMs = 0;
  #lastReason = 'no attempt was made';
  #pause: TimerHandle | null = null;
  #check: TimerHandle | null = null;
  #isPumpDue = false;

  constructor(context: ClientContext, route: ShardRoute, name: string) {
    this.#context = context;
    this.#route = route;
    this.#name = name;
    const { pauseFirstMs: firstMs, pauseLongestMs: longestMs, attemptMs } = context.limits;
    this.#backoff = new Backoff({ firstMs, longestMs }, context.random);
    this.#attemptMs = attemptMs;
  }

  /** @throws JournalError JOURNAL_FULL, JOURNAL_UNAVAILABLE, JOURNAL_CLOSED */
  submit(call: KeyedLaneCall, deadlineMs: number): Promise<JournalOutcome> {
    const { closing, clock, timers } = this.#context;
    if (closing.aborted) return Promise.reject(new JournalError({ code: 'JOURNAL_CLOSED' }));
    if (this.#queue.length >= keyedCallsWaitingMax) {
      const detail = `${this.#queue.length} writes to ${this.#name} wait already`;
      return Promise.reject(
        new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<JournalOutcome>();
    const deadlineAtMs = clock.monotonicMs() + deadlineMs;
    const nothing = { inDoubt: false, request: null, heard: null };
    this.#queue.push({ call, deadlineAtMs, resolve, reject, ...nothing });
    this.#check ??= timers.every(CHECK_MS, () => this.#checkTime());
    if (!this.#isPumpDue) {
      this.#isPumpDue = true;
      queueMicrotask(() => {
        this.#isPumpDue = false;
        this.#pump();
      });
    }
    return promise;
  }

  /** Fails what is under way. */
  end(fault: JournalFault): void {
    this.#forgetAttempt();
    this.#pause?.cancel();
    const queue = this.#queue;
    this.#queue = [];
    this.#stopCheckingWhenIdle();
    for (const { reject } of queue) reject(new JournalError(fault));
  }

  #pump(): void {
    if (this.#pause !== null) return;
    while (this.#sent < this.#queue.length && this.#sent < keyedCallsInFlightMax) {
      if (this.#sent === 0) {
        this.#attempt += 1;
        this.#address = this.#route.current();
        this.#heardAtMs = this.#context.clock.monotonicMs();
      }
      this.#send(this.#queue[this.#sent] as PendingCall);
      this.#sent += 1;
    }
  }

  #send(pending: PendingCall): void {
    const attempt = this.#attempt;
    const leftMs = pending.deadlineAtMs - this.#context.clock.monotonicMs();
    const request = {
      shard: this.#route.shard,
      deadlineMs: Math.max(this.#context.limits.attemptMs, leftMs),
      call: pending.call,
    };
    pending.request = this.#context.links.linkTo(this.#address).start(request, (outcome) => {
      if (attempt !== this.#attempt) return;
      this.#heardAtMs = this.#context.clock.monotonicMs();
      pending.request = null;
      pending.heard = outcome;
      this.#takeHeard(attempt);
    });
  }

  /** Answers count in order. */
  #takeHeard(attempt: number): void {
    while (attempt === this.#attempt) {
      const [first] = this.#queue;
      if (first === undefined || first.heard === null) return;
      const verdict = verdictOn(first.heard, this.#name);
      if (verdict.kind === 'done') this.#answer(first);
      else if (verdict.kind === 'tell' && !(first.inDoubt && isNothingWritten(verdict))) {
        this.#remove(0);
        first.reject(new JournalError(verdict.fault));
      } else this.#failed(first, verdict);
    }
  }

  #answer(first: PendingCall): void {
    this.#route.answered(this.#address);
    this.#backoff.reset();
    this.#attemptMs = this.#context.limits.attemptMs;
    this.#remove(0);
    first.resolve(first.heard as JournalOutcome);
    this.#pump();
  }

  #failed(first: PendingCall, verdict: Verdict): void {
    let isAtOnce = false;
    if (verdict.kind === 'follow') {
      this.#note(verdict.reason);
      isAtOnce = this.#route.follow(this.#address, verdict.leader);
    } else {
      if (verdict.kind === 'elsewhere') this.#note(verdict.reason);
      if (verdict.kind !== 'elsewhere' || verdict.inDoubt) first.inDoubt = true;
      this.#route.passOver(this.#address);
    }
    this.#forgetAttempt();
    if (isAtOnce) this.#pump();
    else this.#pumpLater();
  }

  #remove(at: number): void {
    this.#queue.splice(at, 1);
    if (at < this.#sent) this.#sent -= 1;
    this.#stopCheckingWhenIdle();
  }

  #note(reason: string): void {
    if (this.#address !== '') this.#tried.add(this.#address);
    this.#lastReason = reasonAt(this.#address, reason);
  }

  #pumpLater(): void {
    this.#pause?.cancel();
    this.#pause = this.#context.timers.after(this.#backoff.nextMs(), () => {
      this.#pause = null;
      this.#pump();
    });
  }

  #forgetAttempt(): void {
    this.#attempt += 1;
    for (const pending of this.#queue.slice(0, this.#sent)) {
      // Also what was answered out of turn: it was carried out, and will be once more.
      if (pending.request !== null || pending.heard !== null) pending.inDoubt = true;
      pending.request?.forget();
      pending.request = null;
      pending.heard = null;
    }
    this.#sent = 0;
  }

  #checkTime(): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (let at = this.#queue.length - 1; at >= 0; at -= 1) {
      const pending = this.#queue[at] as PendingCall;
      if (pending.deadlineAtMs > nowMs) continue;
      pending.request?.forget();
      this.#remove(at);
      pending.reject(new JournalError(unavailable(this.#name, this.#tried, this.#lastReason)));
    }
    this.#takeHeard(this.#attempt);
    if (this.#sent === 0 || nowMs - this.#heardAtMs < this.#attemptMs) return;
    this.#note(`no answer for ${String(Math.round(nowMs - this.#heardAtMs))} ms`);
    this.#attemptMs = Math.min(2 * this.#attemptMs, this.#context.limits.attemptLongestMs);
    this.#route.passOver(this.#address);
    this.#forgetAttempt();
    this.#pump();
  }

  #stopCheckingWhenIdle(): void {
    if (this.#queue.length > 0) return;
    this.#check?.cancel();
    this.#check = null;
  }
}

/** "Nothing was written" is told only if no attempt before may have written. */
function isNothingWritten({ fault }: Extract<Verdict, { readonly kind: 'tell' }>): boolean {
  return fault.code === 'JOURNAL_FULL';
}
