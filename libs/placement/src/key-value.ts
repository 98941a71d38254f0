import type { LeaseId, Revision } from './identifiers.ts';

/**
 * One key as it stands.
 *
 * Keys are text without lone surrogates and are ordered by their UTF-8 bytes (`compareKeys`); values
 * are bytes that nobody writes to.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** When the key came to be, after its last deletion. */
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Counts the puts since the key came to be, from 1. */
  readonly version: number;
  /** The key is deleted when this lease ends. */
  readonly lease: LeaseId | null;
}

/** One change to one key, as watches report it. */
export type KeyEvent = PutEvent | DeleteEvent;

export interface PutEvent {
  readonly kind: 'put';
  readonly keyValue: KeyValue;
}

export interface DeleteEvent {
  readonly kind: 'delete';
  readonly key: string;
  readonly modRevision: Revision;
}

/** A half-open range of keys; `after: null` reaches to the end of all keys. */
export interface KeyRange {
  readonly first: string;
  readonly after: string | null;
}
