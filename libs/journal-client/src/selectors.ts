/** Selectors as data for servers, and what of them is left to the client. */
import type { JournalRecord, RecordSelector } from '@robustmq/journal';
import type { WireSelector } from '@robustmq/rpc';

/** Splits a selector: a function can't travel, so where there is one everything is fetched. */
export interface SplitSelector {
  readonly wire: WireSelector;
  /** null: what the server sends is what is wanted. */
  readonly wants: ((record: JournalRecord) => boolean) | null;
}

/** {@link SplitSelector} */
export function splitSelector(selector: RecordSelector): SplitSelector {
  if (selector.kind !== 'topics') return { wire: selector, wants: null };
  const { exact, matches } = selector;
  if (matches === null) return { wire: { kind: 'some', topics: exact, filters: [] }, wants: null };
  const topics = new Set(exact);
  return {
    wire: { kind: 'everything' },
    wants: ({ topic }) => topic !== '' && (topics.has(topic) || matches(topic)),
  };
}
