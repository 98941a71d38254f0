import { join } from 'node:path';
import { unreachable } from '@robustmq/errors';
import type { Journal } from '@robustmq/journal';
import { openJetStreamJournal } from '@robustmq/journal-jetstream';
import { openLevelJournal } from '@robustmq/journal-level';
import { openPostgresJournal } from '@robustmq/journal-postgres';
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
 * @throws JournalError JOURNAL_IO_FAILED  in use, of a newer version or not accessible
 */
export async function openJournal(
  { kind, directory, media }: JournalPlace,
  segmentBytesMax: number,
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
    default:
      return unreachable(kind);
  }
}
