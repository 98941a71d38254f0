/** What the media of the journal need that are not a directory of this machine. */
import type { JetStreamJournalOptions } from '@robustmq/journal-jetstream';

/** Complete for every medium; only that of the chosen one has to make sense. */
export interface MediaSettings {
  readonly jetstream: JetStreamMedium;
}

export type JetStreamMedium = Omit<
  JetStreamJournalOptions,
  'segmentBytesMax' | 'cacheBytesMax' | 'indexCacheBytesMax' | 'journalBytesMax'
>;
