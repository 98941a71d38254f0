/**
 * What was promised, what was delivered, and whether the two agree.
 *
 * A stream is one topic of one publisher; its messages are numbered from 1. An account is a durable
 * subscriber, or a shared group as a whole. Each account is owed every acknowledged message once
 * (QoS 2) or at least once (QoS 1), and, unless it is a group, in the order of the stream.
 */

/** One topic of one publisher. */
export interface Stream {
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  /** Sequence number given last. */
  published: number;
  /** Per sequence number: see {@link OUTCOME}. */
  readonly outcomes: number[];
}

/** What a publisher knows about a message. */
export const OUTCOME = { unknown: 0, acknowledged: 1, refused: 2 } as const;

interface Account {
  readonly name: string;
  readonly kind: 'subscriber' | 'group';
  /** Whether the messages of this topic are owed to it. */
  readonly wants: (topic: string) => boolean;
  /** By topic: how often each sequence number came, and the highest so far. */
  readonly received: Map<string, { readonly counts: number[]; highest: number }>;
}

/** The figures of a campaign; all but the first five must be 0. */
export interface LedgerFigures {
  readonly published: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly delivered: number;
  /** QoS 1 messages that came more than once, which is allowed. */
  readonly repeatedQos1: number;
  readonly lost: number;
  readonly duplicatedQos2: number;
  readonly reordered: number;
  /** Payloads that nobody published to that topic. */
  readonly corrupted: number;
  readonly sessionsLost: number;
  readonly retainedWrong: number;
  readonly willsLost: number;
  readonly willsUnasked: number;
}

const EXAMPLES_MAX = 20;

export class Ledger {
  readonly #streams = new Map<string, Stream>();
  readonly #accounts = new Map<string, Account>();
  readonly #wills = new Map<string, { readonly expected: boolean; received: number }>();
  readonly #examples: string[] = [];
  #delivered = 0;
  #reordered = 0;
  #corrupted = 0;
  #sessionsLost = 0;
  #retainedWrong = 0;

  openStream(topic: string, kind: { readonly qos: 1 | 2; readonly retain: boolean }): Stream {
    const stream: Stream = { topic, ...kind, published: 0, outcomes: [] };
    this.#streams.set(topic, stream);
    return stream;
  }

  /** @param wants  of which topics it is owed the messages; of all, if not said */
  openAccount(
    name: string,
    kind: Account['kind'],
    wants: (topic: string) => boolean = () => true,
  ): void {
    this.#accounts.set(name, { name, kind, wants, received: new Map() });
  }

  /** The first thing that went wrong of each kind, in words; at most twenty. */
  get examples(): readonly string[] {
    return this.#examples;
  }

  /** Total number of messages whose acknowledgement arrived. */
  get acknowledged(): number {
    let count = 0;
    for (const { outcomes } of this.#streams.values()) {
      for (const outcome of outcomes) if (outcome === OUTCOME.acknowledged) count += 1;
    }
    return count;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Notes the delivery of message `sequence`; null when the payload is not ours. */
  deliver(name: string, topic: string, sequence: number | null): void {
    const account = this.#accounts.get(name);
    const stream = this.#streams.get(topic);
    if (account === undefined) throw new Error(`no account is called ${name}`);
    if (sequence === null || stream === undefined || sequence > stream.published) {
      this.#corrupted += 1;
      this.#note(`${name} got something on ${topic} that nobody published: ${sequence}`);
      return;
    }
    this.#delivered += 1;
    const received = account.received.get(topic) ?? { counts: [], highest: 0 };
    account.received.set(topic, received);
    const times = (received.counts[sequence] ?? 0) + 1;
    received.counts[sequence] = times;
    if (times === 1 && sequence < received.highest && account.kind === 'subscriber') {
      this.#reordered += 1;
      this.#note(`${name} got ${topic} #${sequence} after #${received.highest}`);
    }
    if (times > 1 && stream.qos === 2) this.#note(`${name} got ${topic} #${sequence} twice`);
    received.highest = Math.max(received.highest, sequence);
  }

  sessionLost(clientId: string): void {
    this.#sessionsLost += 1;
    this.#note(`${clientId} had a session, and the broker says it has none`);
  }

  /** What each topic must retain from now on, or something newer: its newest acknowledged message. */
  retainedFloors(): ReadonlyMap<string, number> {
    const retaining = [...this.#streams.values()].filter((stream) => stream.retain);
    return new Map(
      retaining.map(({ topic, outcomes }) => [
        topic,
        Math.max(0, outcomes.lastIndexOf(OUTCOME.acknowledged)),
      ]),
    );
  }

  /** Judges what a new subscriber found. @param floors as they were before it subscribed */
  checkRetained(floors: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): void {
    for (const [topic, floor] of floors) {
      const sequence = found.get(topic) ?? 0;
      if (sequence >= floor) continue;
      this.#retainedWrong += 1;
      this.#note(`${topic} retains #${sequence}, but #${floor} is acknowledged`);
    }
  }

  /** A client has connected with a will: `expected` says how it is going to leave. */
  expectWill(topic: string, expected: 'published' | 'discarded'): void {
    this.#wills.set(topic, { expected: expected === 'published', received: 0 });
  }

  receiveWill(topic: string): void {
    const will = this.#wills.get(topic);
    if (will !== undefined) will.received += 1;
  }

  /** True when every account has every acknowledged message and every will has come. */
  get isSettled(): boolean {
    for (const account of this.#accounts.values()) {
      if (this.#missingOf(account) > 0) return false;
    }
    return [...this.#wills.values()].every((will) => !will.expected || will.received > 0);
  }

  /** Acknowledged messages that this account does not have yet. */
  missingOf(name: string): number {
    const account = this.#accounts.get(name);
    return account === undefined ? 0 : this.#missingOf(account);
  }

  figures(): LedgerFigures {
    const accounts = [...this.#accounts.values()];
    const streams = [...this.#streams.values()];
    const wills = [...this.#wills];
    for (const account of accounts) this.#noteMissing(account);
    for (const [topic, { expected, received }] of wills) {
      if (expected !== received > 0) this.#note(`the will ${topic} came ${received} times`);
    }
    return {
      published: sum(streams.map((stream) => stream.published)),
      acknowledged: this.acknowledged,
      refused: sum(streams.map((stream) => countOf(stream, OUTCOME.refused))),
      delivered: this.#delivered,
      repeatedQos1: sum(accounts.map((account) => this.#repeats(account, 1))),
      lost: sum(accounts.map((account) => this.#missingOf(account))),
      duplicatedQos2: sum(accounts.map((account) => this.#repeats(account, 2))),
      reordered: this.#reordered,
      corrupted: this.#corrupted,
      sessionsLost: this.#sessionsLost,
      retainedWrong: this.#retainedWrong,
      willsLost: wills.filter(([, will]) => will.expected && will.received === 0).length,
      willsUnasked: wills.filter(([, will]) => !will.expected && will.received > 0).length,
    };
  }

  #missingOf(account: Account): number {
    let missing = 0;
    for (const [topic, { outcomes }] of this.#streams) {
      if (!account.wants(topic)) continue;
      const counts = account.received.get(topic)?.counts ?? [];
      for (const [sequence, outcome] of outcomes.entries()) {
        if (outcome === OUTCOME.acknowledged && counts[sequence] === undefined) missing += 1;
      }
    }
    return missing;
  }

  #noteMissing(account: Account): void {
    for (const [topic, { outcomes }] of this.#streams) {
      if (!account.wants(topic)) continue;
      const counts = account.received.get(topic)?.counts ?? [];
      const sequence = outcomes.findIndex(
        (outcome, index) => outcome === OUTCOME.acknowledged && counts[index] === undefined,
      );
      if (sequence >= 0) this.#note(`${account.name} never got ${topic} #${sequence}`);
    }
  }

  #repeats(account: Account, qos: 1 | 2): number {
    let repeats = 0;
    for (const [topic, { counts }] of account.received) {
      if (this.#streams.get(topic)?.qos !== qos) continue;
      for (const times of counts) if (times > 1) repeats += times - 1;
    }
    return repeats;
  }

  #note(example: string): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(example);
  }
}

function countOf(stream: Stream, wanted: number): number {
  return stream.outcomes.filter((outcome) => outcome === wanted).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
