/**
 * Requests of one handle on their way to a shard, in the order in which they were made.
 *
 * ```text
 *   submit ──→ queue ──→ held? slow? refused? ──→ apply (one step) ──→ answer lost? ──→ settle
 * ```
 *
 * A request whose deadline passes settles as JOURNAL_UNAVAILABLE with those behind it, and may still
 * arrive: that is what "the outcome is unknown" means. Nothing is applied in the turn of its call.
 */
import type { TimerHandle, Timers } from '@robustmq/environment';
import { JournalError } from '@robustmq/journal';
import type { JournalFault } from '@robustmq/journal';
import type { HeldEnd, RequestFaults, RequestLabel } from './request-faults.ts';

/** After this the client asks again for an answer that did not come. */
const REPEAT_AFTER_MS = 5;

export interface Network {
  readonly timers: Timers;
  readonly faults: RequestFaults;
  /** What may be on its way at once; a request beyond it is refused with JOURNAL_FULL. */
  readonly bytesMax: number;
  bytes: number;
}

export interface Request<Answer> {
  readonly label: RequestLabel;
  /** null: waits for ever. */
  readonly deadlineMs: number | null;
  /** What it holds in memory on its way. */
  readonly byteCount: number;
  /** What it does when it arrives, in one step. A JournalError refuses those behind it too. */
  apply(): Answer | Promise<Answer>;
}

/** Requests that were in flight together: when one was refused, none behind it is applied. */
interface Flight {
  refused: JournalFault | null;
}

interface Travelling {
  readonly request: Request<unknown>;
  readonly flight: Flight;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  deadline: TimerHandle | null;
  settled: boolean;
  slowed: boolean;
  /** The answer, once applied. */
  applied: { readonly answer: unknown } | null;
}

export class RequestLane {
  readonly #network: Network;
  #queue: Travelling[] = [];
  #flight: Flight = { refused: null };
  #closed = false;
  /** The head waits for a turn, a release, a delay or a repetition. */
  #waiting = false;

  constructor(network: Network) {
    this.#network = network;
  }

  submit<Answer>(asked: Request<Answer>): Promise<Answer> {
    if (this.#closed) return Promise.reject(new JournalError({ code: 'JOURNAL_CLOSED' }));
    const network = this.#network;
    const request = network.bytes + asked.byteCount > network.bytesMax ? refused(asked) : asked;
    network.bytes += request.byteCount;
    return new Promise<Answer>((resolve, reject) => {
      const travelling: Travelling = {
        request,
        flight: this.#flight,
        resolve: resolve as (answer: unknown) => void,
        reject,
        deadline: null,
        settled: false,
        slowed: false,
        applied: null,
      };
      this.#queue.push(travelling);
      this.#startDeadline(travelling);
      if (!this.#waiting) this.#resumeSoon();
    });
  }

  /** Settles everything as JOURNAL_CLOSED. What is on its way may still arrive; no more sets out. */
  close(): void {
    this.#closed = true;
    for (const travelling of this.#queue) fail(travelling, { code: 'JOURNAL_CLOSED' });
  }

  #startDeadline(travelling: Travelling): void {
    const { deadlineMs } = travelling.request;
    if (deadlineMs === null) return;
    travelling.deadline = this.#network.timers.after(deadlineMs, () => {
      const { shard } = travelling.request.label;
      const detail = `no answer within ${deadlineMs} ms`;
      this.#failFrom(travelling, { code: 'JOURNAL_UNAVAILABLE', shard, detail });
    });
  }

  /** Requests made after this are a new flight: they do not stand behind what failed. */
  #failFrom(first: Travelling, fault: JournalFault): void {
    for (const travelling of this.#queue.slice(this.#queue.indexOf(first))) {
      fail(travelling, fault);
    }
    this.#flight = { refused: null };
  }

  #resumeSoon(): void {
    this.#waiting = true;
    this.#network.timers.soon(() => this.#advance());
  }

  #advance(): void {
    this.#waiting = false;
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined) return;
      if (!this.#arrives(head)) return;
      this.#queue.shift();
      this.#network.bytes -= head.request.byteCount;
    }
  }

  /** Whether the head is done with; false: it waits, and `#advance` is called again. */
  #arrives(head: Travelling): boolean {
    if (head.applied === null) {
      if (this.#isHeldBack(head)) return false;
      if (!this.#apply(head)) return true;
    }
    if (!head.settled && this.#network.faults.takeLoss(head.request.label)) {
      this.#waitFor(REPEAT_AFTER_MS);
      return false;
    }
    if (head.applied !== null) succeedWith(head, head.applied.answer);
    return true;
  }

  #isHeldBack(head: Travelling): boolean {
    const { faults } = this.#network;
    const hold = faults.holdOf(head.request.label);
    if (hold !== null) {
      this.#waiting = true;
      hold.add((end) => this.#letGo(end));
      return true;
    }
    const delayMs = head.slowed ? 0 : faults.delayMsOf(head.request.label);
    if (delayMs === 0) return false;
    head.slowed = true;
    this.#waitFor(delayMs);
    return true;
  }

  #letGo(end: HeldEnd): void {
    const head = this.#queue[0];
    if (end === 'dropped' && head !== undefined) {
      const detail = 'the request was lost';
      const fault = {
        code: 'JOURNAL_UNAVAILABLE',
        shard: head.request.label.shard,
        detail,
      } as const;
      this.#failFrom(head, fault);
      for (const lost of this.#queue.splice(0)) this.#network.bytes -= lost.request.byteCount;
    }
    this.#advance();
  }

  #waitFor(milliseconds: number): void {
    this.#waiting = true;
    this.#network.timers.after(milliseconds, () => this.#advance());
  }

  /** Whether it was applied; otherwise it was refused, and so is everything behind it. */
  #apply(head: Travelling): boolean {
    const { request, flight } = head;
    try {
      const refusal = flight.refused ?? this.#network.faults.takeRefusal(request.label);
      if (refusal !== null) throw new JournalError(refusal);
      const answer = request.apply();
      // The answer may reach nobody, or nobody yet: its failure is then not unhandled.
      if (answer instanceof Promise) answer.catch(() => {});
      head.applied = { answer };
      return true;
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      flight.refused = error.fault;
      if (this.#flight === flight) this.#failFrom(head, error.fault);
      else fail(head, error.fault);
      return false;
    }
  }
}

/** The same request, which fails in its turn and holds nothing until then. */
function refused<Answer>(request: Request<Answer>): Request<Answer> {
  const detail = `${request.byteCount} more bytes on their way are too many`;
  return {
    ...request,
    byteCount: 0,
    apply(): never {
      throw new JournalError({ code: 'JOURNAL_FULL', limit: 'configured', detail });
    },
  };
}

function succeedWith(travelling: Travelling, answer: unknown): void {
  if (travelling.settled) return;
  travelling.settled = true;
  travelling.deadline?.cancel();
  travelling.resolve(answer);
}

function fail(travelling: Travelling, fault: JournalFault): void {
  if (travelling.settled) return;
  travelling.settled = true;
  travelling.deadline?.cancel();
  travelling.reject(new JournalError(fault));
}
