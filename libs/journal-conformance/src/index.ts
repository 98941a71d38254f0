export { describeJournal } from './describe-journal.ts';
export type { JournalFixture } from './describe-journal.ts';
export { describeSharedJournal } from './describe-shared-journal.ts';
export { readToEnd } from './read-to-end.ts';
export { appendSamples, sampleBatch, textOf } from './sample-batches.ts';
export type { SampleRecord } from './sample-batches.ts';
export type {
  SharedJournalCapabilities,
  SharedJournalFactory,
  SharedJournalUnderTest,
} from './shared-journal-fixture.ts';
