export { openJetStreamJournal } from './jetstream-journal.ts';
export type { JetStreamJournalOptions } from './jetstream-journal.ts';
export type { JetStreamServers } from './stream-client.ts';
