/**
 * Is there one order of all operations that explains every answer, and in which an operation that
 * ended before another began comes first? (Herlihy and Wing 1990.)
 *
 * The search is that of Wing and Gong (1993) with Lowe's improvement (2017): a linked list of calls
 * and returns, from which operations are lifted in a possible order; a pair of (operations lifted,
 * state) that was met before is not entered again. Histories are split by key first, because a
 * history is linearizable if and only if each key's part is (locality).
 *
 * Operations of unknown outcome may take effect at any time after their call, or never. They are
 * tried last, and only directly before an operation that is impossible without them: in any other
 * order they could as well happen later, or not at all.
 *
 * Cost: exponential in the number of operations that overlap, linear in the length otherwise.
 */
import type { Key, RecordedOperation, Value } from './history.ts';
import { CallList, type Event } from './call-list.ts';
import {
  type PreparedOperation,
  type PreparedPart,
  preparePart,
  type UnknownClass,
} from './unknown-outcomes.ts';

export type LinearizabilityVerdict =
  | { readonly kind: 'linearizable' }
  | NotLinearizable
  /** The search was given up. */
  | { readonly kind: 'undecided'; readonly key: Key; readonly configurations: number };

/** The longest explanation that was found, and what it can't explain. */
export interface NotLinearizable {
  readonly kind: 'violation';
  readonly key: Key;
  /** The last operations of that explanation, oldest first. */
  readonly explained: readonly RecordedOperation[];
  /** The value of the key after them; UNSEEN for any that no answer names. */
  readonly state: Value;
  /** Those that overlap there; the last one returned first, and no order allows its answer. */
  readonly unexplained: readonly RecordedOperation[];
}

/** Enough for any honest history: a gigabyte of configurations at most. */
const CONFIGURATIONS_MAX = 5_000_000;
const EXPLAINED_SHOWN = 5;

/** @param history  in any order; instants of one key that coincide count as concurrent */
export function checkLinearizable(history: readonly RecordedOperation[]): LinearizabilityVerdict {
  for (const [key, part] of partitionByKey(history)) {
    const verdict = new Search(key, part).run();
    if (verdict.kind !== 'linearizable') return verdict;
  }
  return { kind: 'linearizable' };
}

export function partitionByKey(
  history: readonly RecordedOperation[],
): ReadonlyMap<Key, readonly RecordedOperation[]> {
  const parts = new Map<Key, RecordedOperation[]>();
  // In order of invocation what is lifted is nearly a prefix, so that its name stays short.
  for (const recorded of history.toSorted((left, right) => left.invokedAt - right.invokedAt)) {
    // A read without an answer constrains nothing.
    if (recorded.operation.kind === 'get' && recorded.returnedAt === null) continue;
    const part = parts.get(recorded.operation.key);
    if (part === undefined) parts.set(recorded.operation.key, [recorded]);
    else part.push(recorded);
  }
  return parts;
}

/** One choice of the search: an answered operation by its call, or one of a class of unknown ones. */
interface Lifted {
  readonly call: Event | null;
  readonly unknown: number;
  readonly stateBefore: Value;
}

class Search {
  readonly #key: Key;
  readonly #answered: PreparedPart['answered'];
  readonly #unknown: readonly UnknownClass[];
  readonly #calls: CallList;
  /** Which answered operations are lifted, and how many of each unknown class. */
  readonly #done: Uint8Array;
  readonly #used: number[];
  readonly #lifted: Lifted[] = [];
  /** For (operations lifted, state): the least use of unknown ones with which it was entered. */
  readonly #seen = new Map<string, (readonly number[])[]>();
  #configurations = 0;
  #state: Value = 0;
  #deepest = -1;
  #witness: NotLinearizable | null = null;

  constructor(key: Key, part: readonly RecordedOperation[]) {
    this.#key = key;
    const { answered, unknown } = preparePart(part);
    this.#answered = answered;
    this.#unknown = unknown;
    this.#calls = new CallList(answered.map(({ recorded }) => recorded));
    this.#done = new Uint8Array(answered.length);
    this.#used = unknown.map(() => 0);
  }

  run(): LinearizabilityVerdict {
    let call = this.#calls.first;
    let unknown = 0;
    while (this.#calls.first !== null) {
      if (this.#liftAnswered(call) || this.#liftUnknown(unknown)) {
        call = this.#calls.first;
        unknown = 0;
        continue;
      }
      this.#noteDepth();
      const last = this.#lifted.pop();
      if (last === undefined) return this.#witness as NotLinearizable;
      this.#putBack(last);
      call = last.call === null ? null : last.call.next;
      unknown = last.unknown + 1;
      if (this.#configurations > CONFIGURATIONS_MAX) {
        return { kind: 'undecided', key: this.#key, configurations: this.#configurations };
      }
    }
    return { kind: 'linearizable' };
  }

  /** Lifts the first possible operation from `event` on, before the first return. */
  #liftAnswered(event: Event | null): boolean {
    for (let call = event; call !== null && call.match !== null; call = call.next) {
      const { recorded } = this.#answered[call.operation] as PreparedOperation;
      const after = stateAfter(recorded, this.#state);
      if (after === null || !this.#isDueNow(recorded)) continue;
      this.#done[call.operation] = 1;
      if (this.#isNew(after, '')) {
        this.#lifted.push({ call, unknown: -1, stateBefore: this.#state });
        this.#state = after;
        this.#calls.lift(call);
        return true;
      }
      this.#done[call.operation] = 0;
    }
    return false;
  }

  #liftUnknown(from: number): boolean {
    const firstReturnAt = this.#calls.firstReturnAt;
    for (let at = from; at < this.#unknown.length; at += 1) {
      const used = this.#used[at] as number;
      const recorded = this.#unknown[at]?.members[used]?.recorded;
      if (recorded === undefined || recorded.invokedAt > firstReturnAt) continue;
      const after = stateAfter(recorded, this.#state);
      if (after === null || after === this.#state || !this.#isDueNow(recorded)) continue;
      this.#used[at] = used + 1;
      if (this.#isNew(after, `<${this.#state}`)) {
        this.#lifted.push({ call: null, unknown: at, stateBefore: this.#state });
        this.#state = after;
        return true;
      }
      this.#used[at] = used;
    }
    return false;
  }

  /** After an operation of unknown outcome comes one that needs its effect. */
  #isDueNow(recorded: RecordedOperation): boolean {
    const last = this.#lifted.at(-1);
    if (last === undefined || last.call !== null) return true;
    const without = stateAfter(recorded, last.stateBefore);
    return without === null || (recorded.returnedAt === null && without === last.stateBefore);
  }

  #putBack({ call, unknown, stateBefore }: Lifted): void {
    this.#state = stateBefore;
    if (call === null) {
      this.#used[unknown] = (this.#used[unknown] as number) - 1;
      return;
    }
    this.#done[call.operation] = 0;
    this.#calls.unlift(call);
  }

  /** Who used fewer unknown operations to get to the same place can do all that others can. */
  #isNew(state: Value, note: string): boolean {
    const name = `${state}${note}|${membersOf(this.#done)}`;
    const used = this.#used;
    const entered = this.#seen.get(name);
    if (entered?.some((earlier) => earlier.every((count, at) => count <= (used[at] as number)))) {
      return false;
    }
    this.#configurations += 1;
    if (entered === undefined) this.#seen.set(name, [[...used]]);
    else entered.push([...used]);
    return true;
  }

  /** Remembers the longest explanation, for whoever has to understand a violation. */
  #noteDepth(): void {
    if (this.#lifted.length <= this.#deepest) return;
    this.#deepest = this.#lifted.length;
    this.#witness = {
      kind: 'violation',
      key: this.#key,
      explained: this.#lifted.slice(-EXPLAINED_SHOWN).map((lifted, at, all) => {
        const { call, unknown } = lifted;
        if (call !== null) return this.#sourceOf(call.operation);
        const later = all.slice(at + 1).filter((other) => other.unknown === unknown).length;
        const member = (this.#used[unknown] as number) - 1 - later;
        return this.#unknown[unknown]?.members[member]?.source as RecordedOperation;
      }),
      state: this.#state,
      unexplained: this.#calls.overlapping.map((at) => this.#sourceOf(at)),
    };
  }

  #sourceOf(answered: number): RecordedOperation {
    return (this.#answered[answered] as PreparedOperation).source;
  }
}

/** The state after the operation, or null when its answer contradicts the state before. */
function stateAfter(recorded: RecordedOperation, state: Value): Value | null {
  const { operation, result, returnedAt } = recorded;
  const isKnown = returnedAt !== null;
  switch (operation.kind) {
    case 'get':
      return result === state ? state : null;
    case 'put':
      return operation.value;
    case 'delete':
      return isKnown && (result === 1) !== (state !== 0) ? null : 0;
    case 'compareAndSet': {
      const succeeds = state === operation.expected;
      if (isKnown && succeeds !== (result === 1)) return null;
      return succeeds ? operation.value : state;
    }
  }
}

/** A set as text: a count of the full prefix, and the few beyond it. */
function membersOf(set: Uint8Array): string {
  const full = set.indexOf(0);
  if (full < 0) return `${set.length}`;
  let text = `${full}`;
  for (let at = set.indexOf(1, full); at >= 0; at = set.indexOf(1, at + 1)) text += `,${at}`;
  return text;
}
