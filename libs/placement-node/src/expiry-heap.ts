/**
 * Deadlines by time: the earliest is found at once, adding and taking cost O(log n).
 *
 * A deadline that moves later is not moved here: whoever takes an entry compares it with what holds
 * now and puts it back. That makes keeping a lease alive a single write into a map.
 */
export interface Deadline {
  readonly id: number;
  readonly atMs: number;
}

export class ExpiryHeap {
  readonly #heap: Deadline[] = [];

  get size(): number {
    return this.#heap.length;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  add(deadline: Deadline): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(deadline);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Deadline;
      if (above.atMs <= deadline.atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = deadline;
  }

  /** Removes the earliest deadline if it is at or before `nowMs`. */
  takeDue(nowMs: number): Deadline | null {
    const heap = this.#heap;
    const [earliest] = heap;
    if (earliest === undefined || earliest.atMs > nowMs) return null;
    const last = heap.pop() as Deadline;
    if (heap.length > 0) this.#sinkFromTop(last);
    return earliest;
  }

  #sinkFromTop(deadline: Deadline): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.atMs < (heap[child] as Deadline).atMs) child += 1;
      const below = heap[child] as Deadline;
      if (below.atMs >= deadline.atMs) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = deadline;
  }
}
