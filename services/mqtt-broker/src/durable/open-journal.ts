import { join } from 'node:path';
import { unreachable } from '@robustmq/errors';
import type { Journal } from '@robustmq/journal';
import { openJetStreamJournal } from '@robustmq/journal-jetstream';
import { openLevelJournal } from '@robustmq/journal-level';
import { openPostgresJournal } from '@robustmq/journal-postgres';
import { openS3Journal } from '@robustmq/journal-s3';
import { openSegmentJournal } from '@robustmq/journal-segment';
import type { StorageSettings } from '../settings.ts';

/** The media of a broker of its own that survive a restart. */
export type JournalKind = Exclude<StorageSettings['kind'], 'memory' | 'journal'>;

export interface JournalPlace extends StorageSettings {
  readonly kind: JournalKind;
}

/**
 * Opens the journal of one broker. Each medium of this machine has a directory of its own below the
 * data directory, so that a change of the kind never meets the files of another one.
 *
 * @param report  told when a medium fails in a way that it tries to mend by itself
 * @throws JournalError JOURNAL_IO_FAILED  in use, of a newer version or not accessible
 */
export async function openJournal(
  { kind, directory, media }: JournalPlace,
  segmentBytesMax: number,
  report: (error: unknown) => void,
): Promise<Journal> {
  switch (kind) {
    case 'segment':
      return openSegmentJournal({ directory: join(directory, 'journal'), segmentBytesMax });
    case 'level':
      return openLevelJournal({ directory: join(directory, 'journal-level'), segmentBytesMax });
    case 'jetstream':
      return openJetStreamJournal({ ...media.jetstream, segmentBytesMax });
    case 'postgres':
      return openPostgresJournal({ ...media.postgres, segmentBytesMax });
    case 's3':
      return openS3Journal({
        ...media.s3,
        directory: join(directory, 'journal-s3'),
        segmentBytesMax,
        report,
      });
    default:
      return unreachable(kind);
  }
}
