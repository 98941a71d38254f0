/**
 * What goes wrong between the processes of a test and the shards: requests that are held back, slow,
 * refused, or whose answers are lost. The first rule that matches a request counts.
 */
import type { JournalFault } from '@robustmq/journal';

export type RequestKind =
  | 'append'
  | 'committed'
  | 'read'
  | 'tail'
  | 'offset-at'
  | 'trim'
  | 'fence'
  | 'write'
  | 'claim'
  | 'list'
  | 'revision';

/** A request matches when everything that is named here does; an empty match is every request. */
export interface RequestMatch {
  /** As given to `connect`. */
  readonly process?: string;
  readonly shard?: string;
  readonly kinds?: readonly RequestKind[];
}

/** Who asks what of whom. */
export interface RequestLabel {
  readonly process: string;
  readonly shard: string;
  readonly kind: RequestKind;
}

export interface MemoryFaults {
  /** Keeps matching requests from arriving, until `release` or `drop`. */
  hold(match: RequestMatch): Hold;
  /** Refuses the next `times` matching requests: they change nothing. Tails are never refused. */
  refuse(match: RequestMatch, times: number, fault: JournalFault): void;
  /** Loses the next `times` answers; each is asked for again after a moment, within its deadline. */
  loseAnswers(match: RequestMatch, times: number): void;
  /** Lets matching requests arrive this much later. Returns what ends it for those to come. */
  slow(match: RequestMatch, milliseconds: number): () => void;
}

export interface Hold {
  /** Requests that wait here; those queued behind them in their handle are not counted. */
  readonly waiting: number;
  /** Lets everything arrive that waits, requests included whose caller has given up. */
  release(): void;
  /** Loses everything that waits: it never arrives, and its callers hear JOURNAL_UNAVAILABLE. */
  drop(): void;
}

/** What `RequestHold` does to a request that it let go. */
export type HeldEnd = 'released' | 'dropped';

export class RequestHold implements Hold {
  readonly match: RequestMatch;
  readonly #ended: (hold: RequestHold) => void;
  readonly #waiting: ((end: HeldEnd) => void)[] = [];

  constructor(match: RequestMatch, ended: (hold: RequestHold) => void) {
    this.match = match;
    this.#ended = ended;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(resume: (end: HeldEnd) => void): void {
    this.#waiting.push(resume);
  }

  release(): void {
    this.#end('released');
  }

  drop(): void {
    this.#end('dropped');
  }

  #end(end: HeldEnd): void {
    this.#ended(this);
    for (const resume of this.#waiting.splice(0)) resume(end);
  }
}

interface CountedRule {
  readonly match: RequestMatch;
  readonly fault: JournalFault | null;
  left: number;
}

export class RequestFaults implements MemoryFaults {
  #holds: RequestHold[] = [];
  #refusals: CountedRule[] = [];
  #losses: CountedRule[] = [];
  readonly #slow = new Map<symbol, { readonly match: RequestMatch; readonly ms: number }>();

  hold(match: RequestMatch): Hold {
    const hold = new RequestHold(match, (ended) => {
      this.#holds = this.#holds.filter((kept) => kept !== ended);
    });
    this.#holds.push(hold);
    return hold;
  }

  refuse(match: RequestMatch, times: number, fault: JournalFault): void {
    this.#refusals.push({ match, fault, left: times });
  }

  loseAnswers(match: RequestMatch, times: number): void {
    this.#losses.push({ match, fault: null, left: times });
  }

  slow(match: RequestMatch, milliseconds: number): () => void {
    const name = Symbol('slow');
    this.#slow.set(name, { match, ms: milliseconds });
    return () => {
      this.#slow.delete(name);
    };
  }

  holdOf(label: RequestLabel): RequestHold | null {
    return this.#holds.find((hold) => matches(hold.match, label)) ?? null;
  }

  delayMsOf(label: RequestLabel): number {
    for (const { match, ms } of this.#slow.values()) if (matches(match, label)) return ms;
    return 0;
  }

  /** The fault that this request is refused with, counted as used; null: it is not. */
  takeRefusal(label: RequestLabel): JournalFault | null {
    const rule = takeRule(this.#refusals, label);
    this.#refusals = this.#refusals.filter((kept) => kept.left > 0);
    return rule?.fault ?? null;
  }

  /** Whether the answer to this request is lost, counted as used. */
  takeLoss(label: RequestLabel): boolean {
    const rule = takeRule(this.#losses, label);
    this.#losses = this.#losses.filter((kept) => kept.left > 0);
    return rule !== null;
  }
}

function takeRule(rules: readonly CountedRule[], label: RequestLabel): CountedRule | null {
  if (label.kind === 'tail') return null;
  const rule = rules.find((candidate) => matches(candidate.match, label));
  if (rule === undefined) return null;
  rule.left -= 1;
  return rule;
}

function matches(match: RequestMatch, label: RequestLabel): boolean {
  if (match.process !== undefined && match.process !== label.process) return false;
  if (match.shard !== undefined && match.shard !== label.shard) return false;
  return match.kinds === undefined || match.kinds.includes(label.kind);
}
