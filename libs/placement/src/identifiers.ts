import type { Branded } from '@robustmq/errors';

/**
 * Counts the changes of the whole store, from 1; 0 stands before the first. Every transaction that
 * changes something gets the next one, and all its changes share it.
 */
export type Revision = Branded<number, 'Revision'>;

/** Names a lease: a positive safe integer, never used again. */
export type LeaseId = Branded<number, 'LeaseId'>;

/** The place before the first change. */
export const NO_REVISION: Revision = 0 as Revision;
