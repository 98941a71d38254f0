/** Selectors as data for servers, and what of them is left to the client. */
import type { JournalRecord, RecordSelector } from '@robustmq/journal';
import type { WireSelector } from '@robustmq/rpc';

/**
 * Splits a selector: a function can't travel, so where there is one, what its filters match is fetched,
 * or everything.
 */
export interface SplitSelector {
  readonly wire: WireSelector;
  /** null: what the server sends is what is wanted. */
  readonly wants: ((record: JournalRecord) => boolean) | null;
}

/** {@link SplitSelector} */
export function splitSelector(selector: RecordSelector): SplitSelector {
  if (selector.kind !== 'topics') return { wire: selector, wants: null };
  const { exact, matches, filters } = selector;
  if (matches === null) return { wire: { kind: 'some', topics: exact, filters: [] }, wants: null };
  const topics = new Set(exact);
  return {
    wire: filters === undefined ? { kind: 'everything' } : { kind: 'some', topics: exact, filters },
    wants: ({ topic }) => topic !== '' && (topics.has(topic) || matches(topic)),
  };
}
