/**
 * Clients that do one operation after the other, and remember what each was told.
 *
 * Half of the operations go to a few registers (put, get, delete, compare and set): their history is
 * checked for linearizability. The other half writes keys that nobody else touches: each that was
 * acknowledged must be there at the end, and must have been seen exactly once by a watch.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '@robustmq/environment';
import { type Placement, PlacementError, type Transaction } from '@robustmq/placement';
import type { HistoryLine } from '@robustmq/simulator';

const DEADLINE_MS = 5000;
const OPTIONS = { deadlineMs: DEADLINE_MS, signal: null };

export interface WorkloadOptions {
  readonly seed: number;
  readonly clients: number;
  readonly keys: number;
  /** Pause between two operations of a client. */
  readonly pauseMs: number;
  /** When given, in place of the pause: from one operation of a client to its next, unless it takes longer. */
  readonly everyMs?: number;
  connect(): Placement;
}

/** An acknowledged write of a key of its own. */
export interface LedgerWrite {
  readonly key: string;
  readonly revision: number;
}

export class Workload {
  readonly history: HistoryLine[] = [];
  readonly ledger: LedgerWrite[] = [];
  /** When writes were acknowledged, on the monotonic clock. */
  readonly acknowledgedAtMs: number[] = [];
  /** Writes of unknown outcome to keys of their own. */
  readonly doubtful: Set<string> = new Set();
  refused = 0;
  readonly #options: WorkloadOptions;
  readonly #running: Promise<void>[] = [];
  #ends = false;
  #values = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  start(): void {
    for (let client = 1; client <= this.#options.clients; client += 1) {
      this.#running.push(this.#runClient(client));
    }
  }

  async end(): Promise<void> {
    this.#ends = true;
    await Promise.all(this.#running);
  }

  /** The longest time without an acknowledged write between two instants. */
  longestGapMs(firstMs: number, afterMs: number): number {
    let previousMs = firstMs;
    let longestMs = 0;
    for (const atMs of this.acknowledgedAtMs) {
      if (atMs < firstMs) continue;
      if (atMs >= afterMs) break;
      longestMs = Math.max(longestMs, atMs - previousMs);
      previousMs = atMs;
    }
    return Math.max(longestMs, afterMs - previousMs);
  }

  async #runClient(client: number): Promise<void> {
    const random = new SeededRandom(this.#options.seed * 1000 + client);
    const placement = this.#options.connect();
    let ledgerTurn = 0;
    while (!this.#ends) {
      const beganMs = performance.now();
      if (random.below(2) === 0) {
        ledgerTurn += 1;
        await this.#writeLedger(placement, `ledger/${client}/${ledgerTurn}`);
      } else {
        await this.#useRegister(placement, client, random);
      }
      await this.#rest(random, performance.now() - beganMs);
    }
    await placement.close();
  }

  async #rest(random: SeededRandom, spentMs: number): Promise<void> {
    const { pauseMs, everyMs } = this.#options;
    const restMs =
      everyMs === undefined ? random.below(pauseMs * 2) : random.below(everyMs * 2) - spentMs;
    if (restMs > 0) await pause(restMs);
  }

  async #writeLedger(placement: Placement, key: string): Promise<void> {
    const outcome = await attempt(() => placement.transact(putOf(key, key), OPTIONS));
    if (outcome.kind === 'unknown') this.doubtful.add(key);
    if (outcome.kind === 'refused') this.refused += 1;
    if (outcome.kind !== 'done') return;
    this.ledger.push({ key, revision: outcome.value.revision });
    this.acknowledgedAtMs.push(performance.now());
  }

  async #useRegister(placement: Placement, client: number, random: SeededRandom): Promise<void> {
    const key = `register/${random.below(this.#options.keys)}`;
    this.#values += 1;
    const value = `${client}-${this.#values}`;
    const invokeNs = nowNs();
    const head = { client, key, invokeNs };
    const chosen = random.below(10);
    if (chosen < 4) return this.#get(placement, head);
    if (chosen < 7)
      return this.#change(placement, { ...head, op: 'put', value }, putOf(key, value));
    if (chosen < 8) return this.#change(placement, { ...head, op: 'delete' }, deletionOf(key));
    const expected = `${1 + random.below(this.#options.clients)}-${this.#values - 1 - random.below(20)}`;
    const line = { ...head, op: 'cas', value, expected } as const;
    await this.#change(placement, line, exchangeOf(key, expected, value));
  }

  async #get(placement: Placement, head: LineHead): Promise<void> {
    const request = {
      ...{ range: { first: head.key, after: `${head.key}\0` }, limit: 0 },
      ...({ content: 'whole', consistency: 'linearizable' } as const),
    };
    const outcome = await attempt(() => placement.range(request, OPTIONS));
    if (outcome.kind !== 'done') return; // A read without an answer says nothing.
    const found = outcome.value.keyValues[0];
    const result = found === undefined ? null : new TextDecoder().decode(found.value);
    this.history.push({ ...head, op: 'get', returnNs: nowNs(), result });
  }

  async #change(
    placement: Placement,
    line: LineHead & Pick<HistoryLine, 'op' | 'value' | 'expected'>,
    transaction: Transaction,
  ): Promise<void> {
    const outcome = await attempt(() => placement.transact(transaction, OPTIONS));
    switch (outcome.kind) {
      case 'done': {
        const { succeeded, results } = outcome.value;
        const [first] = results;
        const deleted = first?.kind === 'delete' ? first.deleted > 0 : null;
        const result = line.op === 'cas' ? succeeded : deleted;
        this.history.push({ ...line, returnNs: nowNs(), result });
        this.acknowledgedAtMs.push(performance.now());
        return;
      }
      case 'unknown':
        this.history.push({ ...line, returnNs: null, result: null });
        return;
      case 'refused':
        this.refused += 1;
    }
  }
}

type LineHead = Pick<HistoryLine, 'client' | 'key' | 'invokeNs'>;

type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** It certainly did not happen. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' };

async function attempt<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'done', value: await run() };
  } catch (error) {
    if (!(error instanceof PlacementError)) throw error;
    return { kind: error.fault.code === 'PLACEMENT_OUTCOME_UNKNOWN' ? 'unknown' : 'refused' };
  }
}

function putOf(key: string, text: string): Transaction {
  const value = new TextEncoder().encode(text);
  return transactionOf([], [{ kind: 'put', key, value, lease: null }]);
}

function deletionOf(key: string): Transaction {
  return transactionOf([], [{ kind: 'delete', range: { first: key, after: `${key}\0` } }]);
}

function exchangeOf(key: string, expected: string, text: string): Transaction {
  const held = new TextEncoder().encode(expected);
  const value = new TextEncoder().encode(text);
  return transactionOf(
    [{ target: 'value', key, relation: 'equal', value: held }],
    [{ kind: 'put', key, value, lease: null }],
  );
}

function transactionOf(compare: Transaction['compare'], then: Transaction['then']): Transaction {
  return { compare, then, otherwise: [], requestId: null };
}

function nowNs(): number {
  return Math.round(performance.now() * 1e6);
}
