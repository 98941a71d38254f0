/**
 * The appends of one producer to one shard, in order, across changes of the leader.
 *
 *     append ─▶ queue: [ in flight … | waiting … ]
 *                │ answered: the first one leaves      │ refused, lost, silent: everything in flight is
 *                ▼                                     ▼ sent again, from the first one on
 *              settled                        same sequences: what is written already is not repeated
 *
 * A shard takes a producer's appends by their sequence 1, 2, 3 … without a gap. So one whose caller gave
 * up (its deadline passed, the outcome is unknown) keeps its place and is still sent until its outcome is
 * known: a later one can't be written before. One that was never sent is taken out.
 *
 * Hot: an append costs a promise, an entry, and an encoding per attempt. LIMITS: see
 * `JournalClientLimits`.
 */
import type { TimerHandle } from '@robustmq/environment';
import {
  type AppendAcknowledgement,
  JournalError,
  type JournalFault,
  type Offset,
  type ProducerName,
  type RecordBatch,
} from '@robustmq/journal';
import { Backoff } from '@robustmq/rpc';
import type { LinkOutcome, LinkRequest } from './server-link.ts';
import { type ClientContext, reasonAt, unavailable } from './shard-calls.ts';
import type { ShardRoute } from './shard-route.ts';
import { verdictOn } from './verdict.ts';

/** How often deadlines and silence are looked at. */
const CHECK_MS = 50;

/** What one pipeline is for. */
export interface AppendPipelineOptions {
  readonly route: ShardRoute;
  /** As the caller names the shard. */
  readonly name: string;
  readonly producer: ProducerName;
  /** Told of every append: the records below are committed. */
  committed(below: Offset): void;
}

interface PendingAppend {
  /** 0 until it is first sent. */
  sequence: number;
  /** The caller's; a copy once the caller was told that the outcome is unknown. */
  bytes: Uint8Array;
  readonly recordCount: number;
  readonly acknowledgement: AppendAcknowledgement;
  readonly deadlineAtMs: number;
  /** null: the caller was told. */
  caller: {
    readonly resolve: (offset: Offset) => void;
    readonly reject: (error: JournalError) => void;
  } | null;
  /** It may have been written, or be written yet, by an attempt whose answer is lost. */
  inDoubt: boolean;
  /** Under way. */
  request: LinkRequest | null;
  /** A refusal that came before the answers to those in front. */
  refusal: LinkOutcome | null;
  /** Written, or given up by the shard; it leaves the queue when it is the first. */
  isSettled: boolean;
  /** Settled, and it may be lost with the leader yet. */
  isEarly: boolean;
}

/** Made for the first append of a producer to a shard. */
export class AppendPipeline {
  readonly #context: ClientContext;
  readonly #options: AppendPipelineOptions;
  readonly #backoff: Backoff;
  readonly #tried = new Set<string>();
  /** In the order of the calls. Those before `#sent` are in flight. */
  #queue: PendingAppend[] = [];
  #sent = 0;
  #bytesInFlight = 0;
  #bytes = 0;
  #lastSequence = 0;
  /** Those that left the queue last and may be lost yet: from this sequence on, so many. */
  #earlyFrom = 0;
  #earlyCount = 0;
  /** Where those in flight are. */
  #address = '';
  /** Answers to earlier attempts mean nothing any more. */
  #attempt = 0;
  #attemptMs: number;
  #heardAtMs = 0;
  #lastReason = 'no attempt was made';
  #pause: TimerHandle | null = null;
  #check: TimerHandle | null = null;
  #isPumpDue = false;
  /** Set for good: the producer is over, or the client closed. */
  #over: JournalFault | null = null;
  /** After a refusal: until everything in flight is answered nothing is sent. */
  #draining: 'then remove' | 'then number anew' | null = null;

  constructor(context: ClientContext, options: AppendPipelineOptions) {
    this.#context = context;
    this.#options = options;
    const { pauseFirstMs: firstMs, pauseLongestMs: longestMs, attemptMs } = context.limits;
    this.#backoff = new Backoff({ firstMs, longestMs }, context.random);
    this.#attemptMs = attemptMs;
    if (context.closing.aborted) this.#over = { code: 'JOURNAL_CLOSED' };
  }

  /** Nothing is under way: then it may be forgotten once its producer has a successor. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  append(
    batch: RecordBatch,
    options: {
      readonly acknowledgement: AppendAcknowledgement;
      readonly deadlineMs: number;
    },
  ): Promise<Offset> {
    if (this.#over !== null) return Promise.reject(new JournalError(this.#over));
    const { limits, clock, timers } = this.#context;
    const byteCount = batch.bytes.length;
    if (this.#queue.length > 0 && this.#bytes + byteCount > limits.appendBytesWaitingMax) {
      const detail = `${this.#bytes} bytes of appends to ${this.#options.name} wait already`;
      return Promise.reject(
        new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Offset>();
    this.#bytes += byteCount;
    this.#queue.push({
      sequence: 0,
      bytes: batch.bytes,
      recordCount: batch.recordCount,
      acknowledgement: options.acknowledgement,
      deadlineAtMs: clock.monotonicMs() + options.deadlineMs,
      caller: { resolve, reject },
      inDoubt: false,
      request: null,
      refusal: null,
      isSettled: false,
      isEarly: false,
    });
    this.#check ??= timers.every(CHECK_MS, () => this.#checkTime());
    this.#pumpSoon();
    return promise;
  }

  /** Fails what is under way, and every later append. */
  end(fault: JournalFault): void {
    this.#over ??= fault;
    this.#draining = null;
    this.#forgetAttempt('perhaps seen');
    this.#pause?.cancel();
    this.#check?.cancel();
    this.#check = null;
    const queue = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    for (const { caller } of queue) caller?.reject(new JournalError(fault));
  }

  /** Calls of one turn go out together anyway; sending them at its end keeps the callers' stacks short. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#pause !== null || this.#draining !== null || this.#over !== null) return;
    const { appendsInFlightMax, appendBytesInFlightMax } = this.#context.limits;
    while (this.#sent < this.#queue.length && this.#sent < appendsInFlightMax) {
      const next = this.#queue[this.#sent] as PendingAppend;
      const isTooMuch = this.#bytesInFlight + next.bytes.length > appendBytesInFlightMax;
      if (isTooMuch && this.#sent > 0) return;
      if (this.#sent === 0) this.#beginAttempt();
      this.#send(next);
    }
  }

  #beginAttempt(): void {
    this.#attempt += 1;
    this.#address = this.#options.route.current();
    this.#heardAtMs = this.#context.clock.monotonicMs();
  }

  #send(pending: PendingAppend): void {
    if (pending.sequence === 0) {
      this.#lastSequence += 1;
      pending.sequence = this.#lastSequence;
    }
    this.#sent += 1;
    this.#bytesInFlight += pending.bytes.length;
    if (pending.isSettled) return;
    const attempt = this.#attempt;
    const { producer, route } = this.#options;
    const { sequence, acknowledgement, bytes: batch } = pending;
    const mayMissFrom = this.#mayMissFrom(this.#sent - 1);
    const named = { producer, sequence, acknowledgement, batch };
    const call = { kind: 'append', ...named, mayMissFrom } as const;
    const deadlineMs = Math.max(
      this.#context.limits.attemptMs,
      pending.deadlineAtMs - this.#context.clock.monotonicMs(),
    );
    const request = { shard: route.shard, deadlineMs, call };
    pending.request = this.#context.links.linkTo(this.#address).start(request, (outcome) => {
      if (attempt === this.#attempt) this.#heard(pending, outcome);
    });
  }

  #heard(pending: PendingAppend, outcome: LinkOutcome): void {
    this.#heardAtMs = this.#context.clock.monotonicMs();
    pending.request = null;
    if (outcome.kind === 'appended') this.#settle(pending, outcome.offset);
    else if (this.#draining !== null) this.#drained();
    else if (pending === this.#queue.find(({ isSettled }) => !isSettled))
      this.#failed(pending, outcome);
    else if (isOfStream(outcome)) this.#failed(pending, outcome);
    // What comes before it is answered first, and decides for all.
    else pending.refusal = outcome;
  }

  /** The first one that is not written was not written now, or its stream is over. */
  #failed(pending: PendingAppend, outcome: LinkOutcome): void {
    const verdict = verdictOn(outcome, this.#options.name);
    switch (verdict.kind) {
      case 'follow':
        this.#note(verdict.reason);
        this.#forgetAttempt('perhaps seen');
        if (this.#options.route.follow(this.#address, verdict.leader)) this.#pump();
        else this.#pumpLater();
        return;
      case 'elsewhere':
        this.#note(verdict.reason);
        if (verdict.inDoubt) pending.inDoubt = true;
        this.#options.route.passOver(this.#address);
        this.#forgetAttempt(
          outcome.kind === 'lost' && !verdict.inDoubt ? 'unseen' : 'perhaps seen',
        );
        this.#pumpLater();
        return;
      case 'outOfOrder':
        this.#misplaced(pending, verdict.expected);
        return;
      case 'tell':
        this.#refused(pending, verdict.fault);
        return;
      default:
        this.#note(`it answered ${outcome.kind} to an append`);
        this.#forgetAttempt('perhaps seen');
        this.#pumpLater();
    }
  }

  #settle(pending: PendingAppend, offset: Offset | null): void {
    pending.isSettled = true;
    pending.inDoubt = false;
    pending.isEarly = offset !== null && pending.acknowledgement !== 'all-synced';
    const { isEarly } = pending;
    this.#options.route.answered(this.#address);
    this.#backoff.reset();
    this.#attemptMs = this.#context.limits.attemptMs;
    const { caller, recordCount } = pending;
    pending.caller = null;
    this.#removeSettled();
    if (offset !== null) {
      if (!isEarly) this.#options.committed((offset + recordCount) as Offset);
      caller?.resolve(offset);
    } else {
      const shard = this.#options.name;
      const detail = 'it is written, and its offset is forgotten';
      caller?.reject(new JournalError({ code: 'JOURNAL_UNAVAILABLE', shard, detail }));
    }
    const [first] = this.#queue;
    if (first !== undefined && first.refusal !== null) this.#failed(first, first.refusal);
    else this.#pump();
  }

  /** What is answered as `all-synced` is there, and all before it. */
  #noteLeft(sequence: number, isEarly: boolean): void {
    if (!isEarly) this.#earlyCount = 0;
    else {
      if (this.#earlyCount === 0) this.#earlyFrom = sequence;
      this.#earlyCount += 1;
    }
  }

  /** Of the append at `at` of the queue: since when all before it may be lost; 0: the one before is not. */
  #mayMissFrom(at: number): number {
    const { sequence } = this.#queue[at] as PendingAppend;
    let first = at;
    while (first > 0 && this.#queue[first - 1]?.isEarly === true) first -= 1;
    const from = first > 0 || this.#earlyCount === 0 ? sequence - (at - first) : this.#earlyFrom;
    return from === sequence ? 0 : from;
  }

  #removeSettled(): void {
    let count = 0;
    while (this.#queue[count]?.isSettled === true) {
      const { bytes, sequence, isEarly } = this.#queue[count] as PendingAppend;
      this.#noteLeft(sequence, isEarly);
      this.#bytes -= bytes.length;
      this.#bytesInFlight -= bytes.length;
      count += 1;
    }
    if (count === 0) return;
    this.#queue.splice(0, count);
    this.#sent -= count;
    this.#stopCheckingWhenIdle();
  }

  /** The shard does not expect what is the first here. */
  #misplaced(first: PendingAppend, expected: number): void {
    if (expected === 1 && first.sequence > 1 && !first.inDoubt) {
      // The shard has forgotten the producer, as it may after a day without an append.
      this.#draining = 'then number anew';
      this.#drained();
      return;
    }
    const detail = `it expects append ${expected} of the producer, not ${first.sequence}`;
    this.end({ code: 'JOURNAL_FENCED', shard: this.#options.name, detail });
  }

  #refused(first: PendingAppend, fault: JournalFault): void {
    if (fault.code === 'JOURNAL_FENCED') this.end(fault);
    else if (!first.inDoubt) {
      this.#draining = 'then remove';
      this.#failFrom(0, fault);
      this.#drained();
    } else {
      // An attempt before this one may have written it: it is refused only if nothing was.
      this.#note(new JournalError(fault).message);
      this.#forgetAttempt('perhaps seen');
      this.#pumpLater();
    }
  }

  /**
   * Nothing is sent before what is in flight was answered: its sequences are given again, and an earlier
   * batch must not come in under one of them.
   */
  #drained(): void {
    if (this.#queue.slice(0, this.#sent).some(({ request }) => request !== null)) return;
    this.#endDrain();
  }

  #endDrain(): void {
    const how = this.#draining;
    this.#draining = null;
    this.#attempt += 1;
    for (const pending of this.#queue) {
      pending.request?.forget();
      pending.request = null;
    }
    this.#removeFailed(0);
    if (how === 'then number anew') {
      this.#lastSequence = 0;
      this.#earlyCount = 0;
    }
    this.#pump();
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

  /** What is in flight is not heard of any more. */
  #forgetAttempt(how: 'perhaps seen' | 'unseen'): void {
    this.#attempt += 1;
    for (const pending of this.#queue.slice(0, this.#sent)) {
      pending.refusal = null;
      if (pending.request === null) continue;
      pending.request.forget();
      pending.request = null;
      if (how === 'perhaps seen') pending.inDoubt = true;
    }
    this.#sent = 0;
    this.#bytesInFlight = 0;
  }

  #checkTime(): void {
    const nowMs = this.#context.clock.monotonicMs();
    const late = this.#queue.findIndex(
      ({ caller, deadlineAtMs }) => caller !== null && deadlineAtMs <= nowMs,
    );
    if (late >= 0) {
      this.#failFrom(late, unavailable(this.#options.name, this.#tried, this.#lastReason));
      this.#removeCertain(late);
    }
    if (this.#sent === 0 || nowMs - this.#heardAtMs < this.#attemptMs) return;
    this.#note(`no answer for ${String(Math.round(nowMs - this.#heardAtMs))} ms`);
    this.#attemptMs = Math.min(2 * this.#attemptMs, this.#context.limits.attemptLongestMs);
    this.#options.route.passOver(this.#address);
    if (this.#draining !== null) this.#endDrain();
    else {
      this.#forgetAttempt('perhaps seen');
      this.#pump();
    }
  }

  /** Those behind one that fails fail alike. */
  #failFrom(start: number, fault: JournalFault): void {
    for (const pending of this.#queue.slice(start)) {
      const { caller } = pending;
      if (caller === null) continue;
      pending.caller = null;
      // The caller has its bytes back.
      if (pending.sequence > 0) pending.bytes = pending.bytes.slice();
      caller.reject(new JournalError(fault));
    }
  }

  /** Takes out those that failed and that certainly no server has: their sequences are free. */
  #removeCertain(start: number): void {
    let first = this.#queue.length;
    while (first > start) {
      const { inDoubt, request, isSettled } = this.#queue[first - 1] as PendingAppend;
      if (inDoubt || request !== null || isSettled) break;
      first -= 1;
    }
    this.#removeFailed(first);
  }

  /** From `start` on nobody has anything: who is still waited for gets a new sequence. */
  #removeFailed(start: number): void {
    const rest = this.#queue.splice(start);
    const [first] = rest;
    if (first !== undefined && first.sequence > 0) this.#lastSequence = first.sequence - 1;
    for (const pending of rest) {
      pending.sequence = 0;
      pending.refusal = null;
      if (pending.caller !== null) this.#queue.push(pending);
    }
    this.#sent = Math.min(this.#sent, start);
    this.#bytes = bytesOf(this.#queue);
    this.#bytesInFlight = bytesOf(this.#queue.slice(0, this.#sent));
    this.#stopCheckingWhenIdle();
  }

  #stopCheckingWhenIdle(): void {
    if (this.#queue.length > 0) return;
    this.#check?.cancel();
    this.#check = null;
  }
}

/** Whether the stream can't bring the answers to others any more. */
function isOfStream(outcome: LinkOutcome): boolean {
  return outcome.kind === 'lost';
}

function bytesOf(appends: readonly PendingAppend[]): number {
  return appends.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
