import type { KeyEvent, KeyRange, Revision } from '@robustmq/placement';

/** The applied changes of one revision, ascending by key. Frozen: all watchers share the objects. */
export interface RevisionChanges {
  readonly revision: Revision;
  readonly events: readonly KeyEvent[];
}

/** The changes that are kept, as watches read them when they begin or fell behind. */
export interface ChangeHistory {
  /** Of the last change applied on this member. */
  readonly revision: Revision;

  /**
   * Events of the range from `from` on, ascending, of whole revisions only.
   *
   * @throws PlacementError PLACEMENT_REVISION_COMPACTED  when `from` is no longer kept
   */
  read(range: KeyRange, from: Revision): Promise<ChangePage>;
}

export interface ChangePage {
  readonly events: readonly KeyEvent[];
  /** Every event of the range up to and including this revision is in this page or was before it. */
  readonly through: Revision;
}

/** What an event counts against limits in bytes beside its key and value. */
const EVENT_OVERHEAD_BYTES = 64;

/** The weight of an event for every limit counted in bytes: an estimate of the memory it holds. */
export function eventBytes(event: KeyEvent): number {
  if (event.kind === 'delete') return EVENT_OVERHEAD_BYTES + event.key.length;
  const { key, value } = event.keyValue;
  return EVENT_OVERHEAD_BYTES + key.length + value.length;
}
