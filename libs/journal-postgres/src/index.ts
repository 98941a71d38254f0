export { openPostgresJournal } from './postgres-journal.ts';
export type { PostgresJournalOptions } from './postgres-journal.ts';
export type { PostgresServer } from './postgres-client.ts';
