export { openLevelJournal } from './level-journal.ts';
export type { LevelJournalOptions } from './level-journal.ts';
