/** The history as watches read it: events by revision. */
import type { Revision } from './identifiers.ts';
import type { KeyEvent } from './key-value.ts';
import { decodeEvent, recordedRevision } from './record-layout.ts';

/** Everything that one revision changed, in the order of the operations. */
export interface RevisionEvents {
  readonly revision: Revision;
  readonly events: readonly KeyEvent[];
}

/**
 * The events in records of history, which come in order. The last revision is as whole as the
 * records are: a reader that stops in the middle of the history leaves out the last one.
 */
export function eventsFromHistory(
  records: Iterable<readonly [key: string, value: Uint8Array]>,
): RevisionEvents[] {
  const found: { revision: Revision; events: KeyEvent[] }[] = [];
  let newest: { revision: Revision; events: KeyEvent[] } | undefined;
  for (const [key, value] of records) {
    const revision = recordedRevision(key);
    if (newest?.revision !== revision) {
      newest = { revision, events: [] };
      found.push(newest);
    }
    newest.events.push(decodeEvent(revision, value));
  }
  return found;
}
