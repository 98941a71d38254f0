/** The calls and returns of answered operations by time, as a list from which pairs are lifted. */
import type { RecordedOperation } from './history.ts';

/** One event of the doubly linked list. A call knows its return; a return has `match` null. */
export interface Event {
  readonly operation: number;
  readonly at: number;
  readonly match: Event | null;
  previous: Event | null;
  next: Event | null;
}

export class CallList {
  readonly #head: Event = { operation: -1, at: -1, match: null, previous: null, next: null };

  /** @param operations  answered, ascending by invocation */
  constructor(operations: readonly RecordedOperation[]) {
    let last = this.#head;
    for (const event of eventsOf(operations)) {
      last.next = event;
      event.previous = last;
      last = event;
    }
  }

  /** null once everything is lifted. */
  get first(): Event | null {
    return this.#head.next;
  }

  /** When the first of the operations that remain returned. */
  get firstReturnAt(): number {
    let event = this.#head.next;
    while (event !== null && event.match !== null) event = event.next;
    return event?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The operations called before the first return; the one that returns comes last. */
  get overlapping(): readonly number[] {
    const called: number[] = [];
    let event = this.#head.next;
    for (; event !== null && event.match !== null; event = event.next) called.push(event.operation);
    const returning = event?.operation ?? -1;
    return [...called.filter((operation) => operation !== returning), returning];
  }

  lift(call: Event): void {
    unlink(call);
    if (call.match !== null) unlink(call.match);
  }

  /** Undoes the latest `lift` that is not undone yet. */
  unlift(call: Event): void {
    if (call.match !== null) relink(call.match);
    relink(call);
  }
}

function eventsOf(operations: readonly RecordedOperation[]): readonly Event[] {
  const events = operations.flatMap(({ invokedAt, returnedAt }, operation): Event[] => {
    const links = { previous: null, next: null };
    const end: Event = { operation, at: returnedAt ?? invokedAt, match: null, ...links };
    return [{ operation, at: invokedAt, match: end, ...links }, end];
  });
  // At one instant calls come first: operations that touch count as concurrent.
  return events.sort((left, right) => left.at - right.at || rankOf(left) - rankOf(right));
}

function rankOf(event: Event): number {
  return event.match === null ? 1 : 0;
}

function unlink(event: Event): void {
  if (event.previous !== null) event.previous.next = event.next;
  if (event.next !== null) event.next.previous = event.previous;
}

function relink(event: Event): void {
  if (event.previous !== null) event.previous.next = event;
  if (event.next !== null) event.next.previous = event;
}
