export { openSegmentJournal } from './segment-journal.ts';
export type { SegmentJournalEnvironment, SegmentJournalOptions } from './segment-journal.ts';
