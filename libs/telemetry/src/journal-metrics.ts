import type { MetricDefinition } from './metric-definition.ts';
import { gauge, total } from './metric-definition.ts';

/** The journal: size, offsets, flushes. */
export const journalMetrics: readonly MetricDefinition[] = [
  gauge('robust_mqtt_journal_bytes', 'bytes', 'journalBytes', 'Size of the journal'),
  gauge('robust_mqtt_journal_segments', 'segments', 'journalSegments', 'Segments of the journal'),
  gauge(
    'robust_mqtt_journal_oldest_offset',
    'offset',
    'journalOldestOffset',
    'Oldest offset still readable',
  ),
  gauge(
    'robust_mqtt_journal_committed_offset',
    'offset',
    'journalCommittedOffset',
    'Records below this offset are committed',
  ),
  gauge(
    'robust_mqtt_journal_next_offset',
    'offset',
    'journalNextOffset',
    'Offset that the next appended record gets',
  ),
  gauge(
    'robust_mqtt_journal_writable',
    'flag',
    'journalWritable',
    '1 while the journal accepts appends, else 0',
  ),
  total(
    'robust_mqtt_journal_appended_records_total',
    'records',
    'journalAppendedRecords',
    'Records appended to the journal',
  ),
  total(
    'robust_mqtt_journal_flushes_total',
    'flushes',
    'journalFlushes',
    'Flushes of the journal to the disk',
  ),
  {
    name: 'robust_mqtt_journal_flush_duration_seconds',
    kind: 'histogram',
    unit: 'seconds',
    help: 'Duration of one journal flush',
    field: 'journalFlushNs',
    scale: 1e-9,
  },
  {
    name: 'robust_mqtt_journal_commit_records',
    kind: 'histogram',
    unit: 'records',
    help: 'Records made durable by one flush',
    field: 'journalCommitRecords',
    scale: 1,
  },
];
