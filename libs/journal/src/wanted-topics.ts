/**
 * The topics of one segment that a selector wants, found once per distinct topic.
 *
 * For a segment that grows, `refresh` looks at the topics that are new since the last call only.
 */
import type { RecordSelector } from './journal.ts';
import type { SegmentIndex } from './segment-index.ts';

const encoder = new TextEncoder();

export class WantedTopics {
  /** Ids in the index, ascending or in the order of the selector. */
  ids: Uint32Array = new Uint32Array(0);
  #seenTopics = 0;
  readonly #exact: ReadonlySet<string>;
  readonly #matches: ((topic: string) => boolean) | null;

  constructor(selector: RecordSelector & { readonly kind: 'topics' }) {
    this.#exact = new Set(selector.exact);
    this.#matches = selector.matches;
  }

  refresh(index: SegmentIndex): void {
    const fresh = index.topicCount - this.#seenTopics;
    if (fresh === 0) return;
    const byLookup = this.#seenTopics === 0 && this.#matches === null && this.#exact.size < fresh;
    const found = byLookup ? this.#lookUp(index) : this.#test(index);
    this.#seenTopics = index.topicCount;
    if (found.length > 0) this.ids = Uint32Array.from([...this.ids, ...found]);
  }

  #lookUp(index: SegmentIndex): number[] {
    const found: number[] = [];
    for (const topic of this.#exact) {
      const id = index.findTopic(encoder.encode(topic));
      if (id >= 0) found.push(id);
    }
    return found;
  }

  #test(index: SegmentIndex): number[] {
    const found: number[] = [];
    for (let id = this.#seenTopics; id < index.topicCount; id += 1) {
      const topic = index.topicText(id);
      if (this.#exact.has(topic) || this.#matches?.(topic) === true) found.push(id);
    }
    return found;
  }
}
