/** What the media of the journal need that are not a directory of this machine. */
import type { JetStreamJournalOptions } from '@robustmq/journal-jetstream';
import type { PostgresJournalOptions } from '@robustmq/journal-postgres';
import type { S3JournalOptions } from '@robustmq/journal-s3';

/** Complete for every medium; only that of the chosen one has to make sense. */
export interface MediaSettings {
  readonly jetstream: JetStreamMedium;
  readonly postgres: PostgresMedium;
  readonly s3: S3Medium;
}

/** Set for every medium alike. */
type Sizes = 'segmentBytesMax' | 'cacheBytesMax' | 'indexCacheBytesMax' | 'journalBytesMax';

export type JetStreamMedium = Omit<JetStreamJournalOptions, Sizes>;
export type PostgresMedium = Omit<PostgresJournalOptions, Sizes>;
export type S3Medium = Omit<S3JournalOptions, Sizes | 'directory' | 'report'>;
