/**
 * Is there one order of all operations that explains every answer, and in which an operation that
 * ended before another began comes first? (Herlihy and Wing 1990.)
 *
 * The search is that of Wing and Gong (1993) with Lowe's improvement (2017): a linked list of calls
 * and returns, from which operations are lifted in a possible order; a pair of (operations lifted,
 * state) that was met before is not entered again. Histories are split by key first, because a
 * history is linearizable if and only if each key's part is (locality).
 *
 * Cost: exponential in the number of operations that overlap, linear in the length otherwise.
 */
import type { Operation, Value } from './command.ts';

export interface RecordedOperation {
  readonly client: number;
  readonly operation: Operation;
  /** When it was invoked and when it returned, on one scale; `returnedAt` is null when unknown. */
  readonly invokedAt: number;
  readonly returnedAt: number | null;
  /** Meaningless while `returnedAt` is null. */
  readonly result: Value;
}

export interface LinearizabilityVerdict {
  readonly linearizable: boolean;
  /** The key whose part has no explanation. */
  readonly key: number | null;
}

export function checkLinearizable(history: readonly RecordedOperation[]): LinearizabilityVerdict {
  for (const [key, part] of partitionByKey(history)) {
    if (!isPartLinearizable(part)) return { linearizable: false, key };
  }
  return { linearizable: true, key: null };
}

export function partitionByKey(
  history: readonly RecordedOperation[],
): ReadonlyMap<number, readonly RecordedOperation[]> {
  const parts = new Map<number, RecordedOperation[]>();
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

/** One event of the doubly linked list. A call knows its return; a return has `match` null. */
interface Node {
  readonly operation: number;
  match: Node | null;
  previous: Node | null;
  next: Node | null;
}

interface Lifted {
  readonly call: Node;
  readonly stateBefore: Value;
}

function isPartLinearizable(part: readonly RecordedOperation[]): boolean {
  const head = linkedEvents(part);
  const lifted: Lifted[] = [];
  const done = new Uint8Array(part.length);
  const seen = new Set<string>();
  let state: Value = 0;
  let open = part.filter((each) => each.returnedAt !== null).length;
  let event = head.next;
  while (open > 0) {
    if (event?.match) {
      const after = stateAfter(part[event.operation] as RecordedOperation, state);
      if (after !== null && isNew(seen, done, event.operation, after)) {
        done[event.operation] = 1;
        lifted.push({ call: event, stateBefore: state });
        state = after;
        if (part[event.operation]?.returnedAt !== null) open -= 1;
        lift(event);
        event = head.next;
      } else event = event.next;
      continue;
    }
    // A return whose call was not lifted, or the end: the last choice was wrong.
    const last = lifted.pop();
    if (last === undefined) return false;
    state = last.stateBefore;
    done[last.call.operation] = 0;
    if (part[last.call.operation]?.returnedAt !== null) open += 1;
    unlift(last.call);
    event = last.call.next;
  }
  return true;
}

/** The state after the operation, or null when its answer contradicts the state before. */
function stateAfter(recorded: RecordedOperation, state: Value): Value | null {
  const { operation, result, returnedAt } = recorded;
  switch (operation.kind) {
    case 'get':
      return result === state ? state : null;
    case 'put':
      return operation.value;
    case 'compareAndSet': {
      const succeeds = state === operation.expected;
      if (returnedAt !== null && succeeds !== (result === 1)) return null;
      return succeeds ? operation.value : state;
    }
  }
}

function isNew(seen: Set<string>, done: Uint8Array, operation: number, state: Value): boolean {
  done[operation] = 1;
  const configuration = `${state}|${compressed(done)}`;
  done[operation] = 0;
  if (seen.has(configuration)) return false;
  seen.add(configuration);
  return true;
}

/** The lifted set as text: a count of the full prefix, and the few lifted beyond it. */
function compressed(done: Uint8Array): string {
  const full = done.indexOf(0);
  if (full < 0) return `${done.length}`;
  let text = `${full}`;
  for (let at = done.indexOf(1, full); at >= 0; at = done.indexOf(1, at + 1)) text += `,${at}`;
  return text;
}

function linkedEvents(part: readonly RecordedOperation[]): Node {
  const events: { readonly at: number; readonly node: Node }[] = [];
  for (const [operation, recorded] of part.entries()) {
    const end: Node = { operation, match: null, previous: null, next: null };
    const call: Node = { operation, match: end, previous: null, next: null };
    events.push({ at: recorded.invokedAt, node: call });
    events.push({ at: recorded.returnedAt ?? Number.POSITIVE_INFINITY, node: end });
  }
  // Unknown returns come after everything, each still after its call.
  events.sort((left, right) => (left.at === right.at ? 0 : left.at - right.at));
  const head: Node = { operation: -1, match: null, previous: null, next: null };
  let last = head;
  for (const { node } of events) {
    last.next = node;
    node.previous = last;
    last = node;
  }
  return head;
}

function lift(call: Node): void {
  unlink(call);
  if (call.match !== null) unlink(call.match);
}

function unlift(call: Node): void {
  if (call.match !== null) relink(call.match);
  relink(call);
}

function unlink(node: Node): void {
  if (node.previous !== null) node.previous.next = node.next;
  if (node.next !== null) node.next.previous = node.previous;
}

function relink(node: Node): void {
  if (node.previous !== null) node.previous.next = node;
  if (node.next !== null) node.next.previous = node;
}
