export { openS3Journal } from './s3-journal.ts';
export type { S3JournalOptions } from './s3-journal.ts';
export type { S3Place } from './s3-store.ts';
